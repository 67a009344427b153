SUMMARY = "Board diagnostics: programs"
LICENSE = "MIT"
IPK_COMPRESSION = "gz"
TREE:acme-diag-tools = "\
    file /usr/bin/acme-diag 0755 half 2m; \
    hard /usr/bin/acme-report /usr/bin/acme-diag; \
    link /usr/bin/diag acme-diag; \
    file /usr/bin/acme-probe 0755 half 700k; \
    xattr /usr/bin/acme-probe security.capability net_raw,setuid; \
    xattr /usr/bin/acme-probe user.acme.origin factory; \
    file /usr/bin/acme-elevate 4755 half 64k; \
    file /usr/bin/acme-spool 2755 half 24k; own /usr/bin/acme-spool 0 8; \
    dir /var/lib/acme-diag 0750; own /var/lib/acme-diag 941 941; \
    dir /var/spool/acme 1777; \
    say /usr/share/doc/acme-diag/README 0644 Diagnostics for Acme boards.; \
"
RDEPENDS:acme-diag-tools = "acme-diag-config (>= 1.0)"
pkg_postinst:acme-diag-tools = "set -e|install -d $D/var/spool/acme"
