#!/usr/bin/env python3
"""compare-stores.py OURS THEIRS: every layer that both data-roots hold, entry by entry. Prints each difference; status 1 if there is any.

Not compared are times of whiteouts and of directories that the layer does not list (below `implied`): the daemon gives them the present.
"""
import hashlib
import os
import stat
import sys

ours, theirs = sys.argv[1:3]
differences = []


def layers(root):
    directory = root + "/image/overlay2/layerdb/sha256"
    found = {}
    for chain in os.listdir(directory):
        record = {name: open(f"{directory}/{chain}/{name}").read() for name in ("cache-id", "diff", "size")}
        parent = f"{directory}/{chain}/parent"
        record["parent"] = open(parent).read() if os.path.exists(parent) else None
        found[chain] = record
    return found


def entries(top):
    found, inodes = {}, {}
    for directory, names, files in os.walk(top):
        for name in [""] + names + files if directory == top else names + files:
            path = os.path.join(directory, name) if name else top
            relative = os.path.relpath(path, top)
            status = os.lstat(path)
            entry = {"mode": oct(status.st_mode), "uid": status.st_uid, "gid": status.st_gid}
            whiteout = stat.S_ISCHR(status.st_mode) and status.st_rdev == 0
            implied = relative.startswith("implied") and stat.S_ISDIR(status.st_mode)
            if not whiteout and not implied and relative != ".":
                entry["mtime"] = status.st_mtime_ns
            if stat.S_ISREG(status.st_mode):
                entry["size"] = status.st_size
                entry["content"] = hashlib.sha256(open(path, "rb").read()).hexdigest()
            if stat.S_ISLNK(status.st_mode):
                entry["target"] = os.readlink(path)
            if stat.S_ISCHR(status.st_mode) or stat.S_ISBLK(status.st_mode):
                entry["device"] = (os.major(status.st_rdev), os.minor(status.st_rdev))
            entry["xattrs"] = {name: os.getxattr(path, name, follow_symlinks=False) for name in os.listxattr(path, follow_symlinks=False)}
            if not stat.S_ISDIR(status.st_mode):
                entry["links"] = status.st_nlink
                entry["same as"] = inodes.setdefault(status.st_ino, relative) if status.st_nlink > 1 else None
            found[relative] = entry
    # The order of a directory is the file system's own: each group of links is named by its first path.
    first = {}
    for name in sorted(found):
        first.setdefault(found[name].get("same as"), name)
    for entry in found.values():
        if entry.get("same as"):
            entry["same as"] = first[entry["same as"]]
    return found


mine, other = layers(ours), layers(theirs)
count = 0
for chain in sorted(set(mine) | set(other)):
    if chain not in mine or chain not in other:
        differences.append(f"layer {chain} is only in {'theirs' if chain in other else 'ours'}")
        continue
    for key in ("diff", "size", "parent"):
        if mine[chain][key] != other[chain][key]:
            differences.append(f"layer {chain}: {key} {mine[chain][key]!r} {other[chain][key]!r}")
    one = entries(f"{ours}/overlay2/{mine[chain]['cache-id']}/diff")
    two = entries(f"{theirs}/overlay2/{other[chain]['cache-id']}/diff")
    count += len(one)
    for path in sorted(set(one) | set(two)):
        if one.get(path) != two.get(path):
            differences.append(f"{path!r}: {one.get(path)} {two.get(path)}")
print("\n".join(differences[:50]) or f"{len(mine)} layers, {count} entries are equal")
sys.exit(1 if differences else 0)
