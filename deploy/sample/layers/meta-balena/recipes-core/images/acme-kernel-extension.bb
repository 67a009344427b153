SUMMARY = "Kernel of another build, laid over the host application"
LICENSE = "MIT"
IMAGE = "extension"
IMAGE_LABELS = "io.balena.image.class=overlay io.balena.image.kernel-version=6.1.77"
IMAGE_VOLUMES = "/boot"
TREE:hostapp = "\
    dir /boot 0755; \
    file /boot/kernel 0644 half 3m; \
    file /usr/lib/modules/6.1.77/kernel/acme.ko 0644 half 200k; \
    say /usr/lib/modules/6.1.77/modules.dep 0644 kernel/acme.ko:; \
"
