#!/usr/bin/env python3
"""Describes a feed of random packages for make-feed.py; the same seed gives the same feed.

usage: random-feed.py SEED ARCHITECTURE...

Packages share directories (with other attributes in each), files (the same content, another time) and hard links to them, and have everything else
that may be in a package: links, devices, owners, special bits, attributes, odd names, contents around the size of a chunk.
"""
import json
import random
import sys

NAMES = ["a", "b", "a.d", "a-b", "A", "bin", "lib", "ünïcode", "with blank", "x" * 101, "new\\line", "0"]
SIZES = [0, 1, 511, 512, 513, 4096, 100_000, (1 << 20) - 1536, 1 << 20, (1 << 20) + 1]


def main():
    source = random.Random(int(sys.argv[1]))
    architectures = sys.argv[2:]

    def attributes():
        entry = {"mode": source.choice(["644", "755", "600", "4755", "2755", "1777", "0", "7777"]), "uid": source.choice([0, 0, 1000, 3_000_000_000]),
                 "gid": source.choice([0, 0, 12, 2_100_000])}
        if source.random() < 0.2:
            entry["xattrs"] = {"user.note": source.randbytes(source.randrange(1, 20)).hex()}
        if source.random() < 0.1:
            entry.setdefault("xattrs", {})["security.capability"] = "0100000200200000000000000000000000000000"
        return entry

    def time():
        return source.choice([0, 1_500_000_000, 1_600_000_000, 1_700_000_000, 1_700_000_001, 4_000_000_000])

    directories = [""]
    for _ in range(source.randrange(3, 14)):
        parent = source.choice(directories)
        path = (parent + "/" if parent else "") + source.choice(NAMES)
        if path not in directories and path.count("/") < 5:
            directories.append(path)
    shared = {}
    taken = set(directories)

    def fresh():
        parent = source.choice(directories)
        for number in range(100):
            path = (parent + "/" if parent else "") + source.choice(NAMES) + (f"-{number}" if number else "")
            if path not in taken:
                taken.add(path)
                return path
        raise SystemExit("no name left")

    for _ in range(source.randrange(0, 6)):
        shared[fresh()] = {"type": "file", "text": source.choice(["", "shared\n", "s" * 3000]), **attributes()}
    packages = []
    for number in range(source.randrange(2, 9)):
        entries = []
        for directory in source.sample(directories, source.randrange(0, len(directories))):
            if directory:
                entries.append({"path": directory, "type": "dir", "mtime": time(), **attributes()})
        files = []
        for path in source.sample(sorted(shared), source.randrange(0, len(shared) + 1)):
            entries.append({"path": path, "mtime": time(), **shared[path]})
            files.append(path)
        for _ in range(source.randrange(0, 12)):
            path, kind = fresh(), source.choice(["file", "file", "file", "symlink", "hardlink", "char", "block", "dir"])
            if kind == "hardlink" and not files:
                kind = "file"
            entry = {"path": path, "type": kind, "mtime": time(), **attributes()}
            if kind == "file":
                entry["random"] = source.choice(SIZES)
                files.append(path)
            elif kind == "symlink":
                entry = {"path": path, "type": kind, "mtime": time(), "link": source.choice(["/", "a", "../../x", "ü" * 60])}
            elif kind == "hardlink":
                entry["link"] = source.choice(files)
            elif kind in ("char", "block"):
                entry["device"] = (source.randrange(1, 4096), source.randrange(1 << 20))
            entries.append(entry)
        # A hard link follows its file; everything else comes as it comes.
        plain = [entry for entry in entries if entry["type"] != "hardlink"]
        source.shuffle(plain)
        packages.append({"name": f"p{number}", "version": "1.0", "arch": source.choice(architectures), "compression": source.choice(["gz", "xz", "zst", "none"]),
                         "entries": plain + [entry for entry in entries if entry["type"] == "hardlink"]})
    source.shuffle(packages)
    json.dump(packages, sys.stdout)


main()
