SUMMARY = "Board diagnostics: reference measurements"
LICENSE = "MIT"
PACKAGE_ARCH = "all"
IPK_COMPRESSION = "zst"
TREE:acme-diag-data = "\
    file /usr/share/acme-diag/measurements.bin 0644 half 2600k; \
    file /usr/share/acme-diag/übersicht-прибор.txt 0644 text 40k; \
    file /usr/share/acme-diag/reference/board-revision-0000000000000000000000000000000001/temperature-minus-forty-to-plus-eighty-five/voltage-sweep.csv 0644 text 90k; \
    file /usr/share/acme-diag/with%20space.txt 0640 text 2k; own /usr/share/acme-diag/with%20space.txt 1000 1000; \
    file /usr/share/acme-diag/empty 0600 text 0; \
    link /usr/share/acme-diag/latest reference/board-revision-0000000000000000000000000000000001; \
"
