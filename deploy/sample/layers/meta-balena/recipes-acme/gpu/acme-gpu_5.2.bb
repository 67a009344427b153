SUMMARY = "Graphics processor support"
LICENSE = "Proprietary"
PACKAGE_ARCH = "${MACHINE_ARCH}"
PACKAGES = "acme-gpu-libraries acme-gpu-firmware acme-gpu-tools acme-gpu-dev"
# As debian.bbclass renames a package with a library; it provides its old name, which contracts list.
PKG:acme-gpu-libraries = "libacmegl5"
IPK_COMPRESSION:acme-gpu-libraries = "zst"
IPK_COMPRESSION:acme-gpu-firmware = "gz"
IPK_COMPRESSION:acme-gpu-tools = "xz"
IPK_COMPRESSION:acme-gpu-dev = "gz"
TREE:acme-gpu-libraries = "\
    file /usr/lib/libacmegl.so.5.2 0755 half 3m; \
    link /usr/lib/libacmegl.so.5 libacmegl.so.5.2; \
    file /usr/lib/libacmecl.so.5.2 0755 half 1m; \
    link /usr/lib/libacmecl.so.5 libacmecl.so.5.2; \
"
TREE:acme-gpu-firmware = "\
    file /lib/firmware/acme/gpu.bin 0644 noise 3m; \
    say /etc/acme-gpu.conf 0644 machine = ${MACHINE}; \
"
TREE:acme-gpu-tools = "\
    file /usr/bin/acme-gpu-info 0755 text 90k; \
    xattr /usr/bin/acme-gpu-info security.capability sys_admin; \
"
TREE:acme-gpu-dev = "\
    file /usr/include/acmegl.h 0644 text 60k; \
"
