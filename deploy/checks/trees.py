"""Compares two directory trees entry by entry; run as root. Prints what differs and ends with status 1 if anything does.

  trees.py EXPECTED ACTUAL [--latest SECONDS] [--exported]

Compared: the set of paths, type, mode, uid, gid, device number, link target, extended attributes, content, which names are one file, and of regular
files the modification time. Times of EXPECTED are cut to --latest first, as blocks are made with. With --exported, ACTUAL is what `docker export` gave:
of the attributes only file capabilities are carried there, and dockerd's own mount points are allowed to be in it.
"""

import argparse
import hashlib
import os
import stat
import sys

# What dockerd puts into every container (its init layer).
MOUNT_POINTS = {b".dockerenv", b"dev", b"dev/console", b"dev/pts", b"dev/shm", b"etc", b"etc/hostname", b"etc/hosts", b"etc/mtab",
                b"etc/resolv.conf", b"proc", b"sys"}


def content(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def snapshot(root, latest=None, capabilities_only=False):
    """Maps each path to its properties. Names of one file share the property `names`."""
    entries, inodes = {}, {}

    def add(path, name):
        status = os.lstat(path)
        kind = stat.S_IFMT(status.st_mode)
        xattrs = {n: os.getxattr(path, n, follow_symlinks=False) for n in os.listxattr(path, follow_symlinks=False)}
        entry = {
            "type": kind, "mode": oct(stat.S_IMODE(status.st_mode)), "uid": status.st_uid, "gid": status.st_gid,
            "xattrs": {n: v for n, v in xattrs.items() if not capabilities_only or n == "security.capability"},
        }
        if kind == stat.S_IFLNK:
            entry["target"] = os.readlink(path)
        elif kind == stat.S_IFREG:
            seconds = status.st_mtime_ns // 10**9
            entry |= {"size": status.st_size, "content": content(path), "mtime": seconds if latest is None else min(seconds, latest)}
        elif kind in (stat.S_IFCHR, stat.S_IFBLK):
            entry["device"] = status.st_rdev
        if kind != stat.S_IFDIR:
            inodes.setdefault((status.st_dev, status.st_ino), []).append(name)
        entries[name] = entry
        if kind == stat.S_IFDIR:
            for child in os.listdir(path):
                add(os.path.join(path, child), os.path.join(name, child) if name else child)

    add(os.fsencode(root), b"")
    for names in inodes.values():
        for name in names:
            entries[name]["names"] = sorted(names)
    return entries


def differences(expected, actual, exported=False):
    for name in sorted(expected.keys() | actual.keys()):
        shown = "/" + os.fsdecode(name)
        if name not in actual:
            yield f"{shown} is missing"
        elif name not in expected:
            if not (exported and name in MOUNT_POINTS):
                yield f"{shown} is too many"
        else:
            for key in sorted(expected[name].keys() | actual[name].keys()):
                wanted, given = expected[name].get(key), actual[name].get(key)
                if wanted != given:
                    yield f"{shown}: {key} is {given}, not {wanted}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("expected")
    parser.add_argument("actual")
    parser.add_argument("--latest", type=int)
    parser.add_argument("--exported", action="store_true")
    given = parser.parse_args()
    for directory in (given.expected, given.actual):
        if not os.path.isdir(directory):
            sys.exit(f"{directory} is not there")
    wanted = snapshot(given.expected, given.latest, given.exported)
    if len(wanted) < 2:
        sys.exit(f"{given.expected} is empty")
    found = list(differences(wanted, snapshot(given.actual, None, given.exported), given.exported))
    for line in found[:20]:
        print(ascii(line)[1:-1])
    if found:
        sys.exit(f"{len(found)} differences in {len(wanted)} entries")
