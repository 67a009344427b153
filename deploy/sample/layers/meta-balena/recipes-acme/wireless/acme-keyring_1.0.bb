SUMMARY = "Keys that the firmware was signed with"
LICENSE = "MIT"
PACKAGE_ARCH = "all"
TREE:acme-keyring = "\
    file /usr/share/acme-keyring/keys.bin 0644 noise 4k; \
"
