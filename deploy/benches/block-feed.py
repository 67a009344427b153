#!/usr/bin/env python3
"""Writes a feed for measuring: 120 packages in 8 architecture directories, about 260 MB of ipk that unpack to about 385 MB.

usage: block-feed.py DIRECTORY [SCALE]     SCALE 0.1 makes a tenth of the bytes

Two thirds of the bytes do not compress, as firmware and compressed modules do not. Compressors alternate: gz, xz, zst.
"""
import gzip
import hashlib
import io
import lzma
import os
import random
import subprocess
import sys
import tarfile
from concurrent.futures import ThreadPoolExecutor

ARCHITECTURES = "all any noarch aarch64 armv8a armv8a-crc cortexa72 bench_64".split()
PACKAGES = 120
FILES = 40
EPOCH = 1700000000
WORDS = [b"module", b"device", b"firmware", b"/usr/lib/", b"driver=", b"0x", b"version ", b"\n", b"alias pci:v", b"enable", b"status = okay;"]


def content(source, size):
    """A run of bytes of which about two thirds are noise."""
    noise = source.randbytes(size * 2 // 3)
    text = b"".join(source.choices(WORDS, k=size // 18 + 1))
    return (noise + text * 3)[:size]


def data_tar(number, scale):
    source = random.Random(number)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as tar:
        def add(name, kind=tarfile.REGTYPE, data=b"", mode=0o644, link=""):
            entry = tarfile.TarInfo(name)
            entry.type, entry.size, entry.mode, entry.linkname, entry.mtime = kind, len(data), mode, link, EPOCH
            tar.addfile(entry, io.BytesIO(data))
        for directory in (".", "./usr", "./usr/lib", f"./usr/lib/bench-{number:03}"):
            add(directory, tarfile.DIRTYPE, mode=0o755)
        for index in range(FILES):
            size = int(source.choice((300, 4_000, 30_000, 80_000, 290_000)) * scale) + source.randrange(64)
            add(f"./usr/lib/bench-{number:03}/file-{index:02}.bin", data=content(source, size), mode=0o755 if index % 5 == 0 else 0o644)
        add(f"./usr/lib/bench-{number:03}/current", tarfile.SYMTYPE, mode=0o777, link="file-00.bin")
    return buffer.getvalue()


def compress(kind, data):
    if kind == "gz":
        return gzip.compress(data, 6, mtime=0)
    if kind == "xz":
        return lzma.compress(data, preset=1)
    return subprocess.run(["zstd", "-q", "-3", "-c"], input=data, stdout=subprocess.PIPE, check=True).stdout


def package(root, number, scale):
    architecture = ARCHITECTURES[number % len(ARCHITECTURES)]
    name = f"bench-{number:03}"
    fields = f"Package: {name}\nVersion: 1.0-r0\nArchitecture: {architecture}\nOE: bench\nLicense: MIT\n"
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as tar:
        entry = tarfile.TarInfo("./control")
        entry.size, entry.mtime = len(fields), EPOCH
        tar.addfile(entry, io.BytesIO(fields.encode()))
    kind = ("gz", "xz", "zst")[number % 3]
    ipk = b"!<arch>\n"
    for member, data in (("debian-binary", b"2.0\n"), ("control.tar.gz", compress("gz", buffer.getvalue())),
                         (f"data.tar.{kind}", compress(kind, data_tar(number, scale)))):
        ipk += f"{member:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(data):<10}`\n".encode() + data + b"\n" * (len(data) % 2)
    file = f"{name}_1.0-r0_{architecture}.ipk"
    with open(f"{root}/{architecture}/{file}", "wb") as out:
        out.write(ipk)
    return architecture, fields + f"Size: {len(ipk)}\nSHA256sum: {hashlib.sha256(ipk).hexdigest()}\nFilename: {file}\n\n", len(ipk)


def main():
    root, scale = sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 1.0
    for architecture in ARCHITECTURES:
        os.makedirs(f"{root}/{architecture}", exist_ok=True)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        made = list(pool.map(lambda number: package(root, number, scale), range(PACKAGES)))
    for architecture in ARCHITECTURES:
        text = "".join(stanza for where, stanza, _ in made if where == architecture).encode()
        with open(f"{root}/{architecture}/Packages", "wb") as out:
            out.write(text)
        with open(f"{root}/{architecture}/Packages.gz", "wb") as out:
            out.write(gzip.compress(text, mtime=0))
    print(f"{PACKAGES} packages, {sum(size for _, _, size in made) / 1e6:.0f} MB of ipk")


main()
