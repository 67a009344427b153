SUMMARY = "Board diagnostics: settings for any board"
LICENSE = "MIT"
PACKAGE_ARCH = "all"
IPK_COMPRESSION = "gz"
TREE:acme-diag-config = "\
    say /etc/acme-diag.conf 0644 board = any|source = all; \
"
