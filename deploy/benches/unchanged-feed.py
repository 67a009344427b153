#!/usr/bin/env python3
"""Writes a feed of many small packages of one architecture directory, as a build leaves it.

usage: unchanged-feed.py DIRECTORY FILES     FILES counts the packages and their two indexes
"""
import gzip
import hashlib
import io
import os
import sys
import tarfile

EPOCH = 1700000000


def archive(name, data):
    """A tar of one file."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as tar:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mtime = len(data), EPOCH
        tar.addfile(entry, io.BytesIO(data))
    return gzip.compress(buffer.getvalue(), 1, mtime=0)


def package(root, name):
    """Writes one package; the result is its entry in the index."""
    fields = f"Package: {name}\nVersion: 1.0-r0\nArchitecture: all\nSource: {name}_1.0.bb\nOE: {name}\nLicense: MIT\n"
    ipk = b"!<arch>\n"
    members = ("debian-binary", b"2.0\n"), ("control.tar.gz", archive("./control", fields.encode())), ("data.tar.gz", archive(f"./{name}", name.encode()))
    for member, data in members:
        ipk += f"{member:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(data):<10}`\n".encode() + data + b"\n" * (len(data) % 2)
    file = f"{name}_1.0-r0_all.ipk"
    with open(f"{root}/all/{file}", "wb") as out:
        out.write(ipk)
    return fields + f"Size: {len(ipk)}\nSHA256sum: {hashlib.sha256(ipk).hexdigest()}\nFilename: {file}\n\n"


def main(root, files):
    os.makedirs(f"{root}/all")
    names = ["bench"] + [f"bench-part-{number:04}" for number in range(int(files) - 3)]
    text = "".join(package(root, name) for name in names).encode()
    with open(f"{root}/all/Packages", "wb") as out:
        out.write(text)
    with open(f"{root}/all/Packages.gz", "wb") as out:
        out.write(gzip.compress(text, mtime=0))


if __name__ == "__main__":
    main(*sys.argv[1:])
