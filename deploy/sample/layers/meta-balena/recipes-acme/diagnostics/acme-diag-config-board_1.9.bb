SUMMARY = "Board diagnostics: settings for this board"
LICENSE = "MIT"
# The same package name as acme-diag-config_2.0 makes, older, in the directory of the machine: architecture goes before version.
PACKAGES = "acme-diag-config"
PACKAGE_ARCH = "${MACHINE_ARCH}"
IPK_COMPRESSION = "gz"
TREE:acme-diag-config = "\
    say /etc/acme-diag.conf 0644 board = ${MACHINE}|source = machine; \
"
