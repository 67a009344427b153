SUMMARY = "Operating system identification"
LICENSE = "MIT"
# Says `all` although its content names the machine, as the real one does.
PACKAGE_ARCH = "all"
MINIATURE_CONTEXT = "1"
IPK_COMPRESSION = "gz"
TREE:os-release = "\
    say /usr/lib/os-release 0644 ID="balena-os"|NAME="balenaOS"|VERSION="{VERSION}"|VERSION_ID="{VERSION}"|MACHINE="{MACHINE}"|SLUG="{SLUG}"|DEVELOPMENT="{DEVELOPMENT}"|CHANNEL="{ACME_CHANNEL}"; \
    link /etc/os-release ../usr/lib/os-release; \
"
