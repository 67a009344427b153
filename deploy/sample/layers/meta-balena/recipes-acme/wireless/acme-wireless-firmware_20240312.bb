SUMMARY = "Firmware of wireless chips"
LICENSE = "Proprietary"
PACKAGE_ARCH = "all"
PACKAGES = "acme-wireless-a1 acme-wireless-a2 acme-wireless-license acme-wireless-dbg"
SUMMARY:acme-wireless-a1 = "Firmware of wireless chip A1"
SUMMARY:acme-wireless-a2 = "Firmware of wireless chip A2"
IPK_COMPRESSION:acme-wireless-a1 = "zst"
IPK_COMPRESSION:acme-wireless-a2 = "gz"
IPK_COMPRESSION:acme-wireless-dbg = "gz"
TREE:acme-wireless-a1 = "\
    file /lib/firmware/acme/a1.bin 0644 noise 2800k; \
    link /lib/firmware/acme/a1-rev2.bin a1.bin; \
    file /usr/share/licenses/acme/COPYING 0644 text 12k; \
"
TREE:acme-wireless-a2 = "\
    file /lib/firmware/acme/a2.bin 0644 noise 2600k; \
    hard /lib/firmware/acme/a2-lab.bin /lib/firmware/acme/a2.bin; \
    file /usr/share/licenses/acme/COPYING 0644 text 12k; \
"
TREE:acme-wireless-license = "\
    file /usr/share/licenses/acme/THIRD-PARTY 0644 text 30k; \
"
TREE:acme-wireless-dbg = "\
    file /lib/firmware/acme/debug/a1.map 0644 text 200k; \
"
