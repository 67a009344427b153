SUMMARY = "Extension of the hostapp: tracing"
LICENSE = "MIT"
IMAGE = "extension"
IMAGE_LABELS = "io.balena.image.class=overlay io.balena.image.store=data io.balena.update.requires-reboot=1 io.balena.image.os-version={VERSION}"
DEPENDS = "os-release"
TREE:hostapp = "\
    file /usr/bin/acme-trace 0755 half 400k; \
    link /usr/bin/trace acme-trace; \
    dir /usr/lib/acme-trace 0755; \
    say /usr/lib/acme-trace/machine 0644 {MACHINE}; \
"
