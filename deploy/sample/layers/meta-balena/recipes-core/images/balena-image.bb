SUMMARY = "Host application and target image"
LICENSE = "MIT"
IMAGE = "plain"
DEPENDS = "os-release"
TREE:hostapp = "\
    say /etc/os-release 0644 ID="balena-os"|NAME="balenaOS"|VERSION="{VERSION}"|SLUG="{SLUG}"|MACHINE="{MACHINE}"; \
    say /etc/hostname 0644 {MACHINE}; \
    dir /boot 0755; dir /mnt 0755; dir /proc 0555; dir /root 0700; dir /tmp 1777; \
    file /boot/kernel 0644 half 3m; \
    file /usr/bin/balenad 0755 half 2m; \
    file /usr/lib/libc.so.6 0755 half 1500k; \
    link /bin usr/bin; link /lib usr/lib; link /usr/bin/balena balenad; \
    file /usr/bin/ping 0755 half 60k; xattr /usr/bin/ping security.capability net_raw; \
    file /usr/bin/su 4755 half 40k; \
"
