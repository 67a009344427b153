#!/usr/bin/env python3
"""Lists a file tree, one JSON object a line, so that trees from different places can be compared.

usage: list-tree.py ipk FILE...     what unpacking these packages in this order gives, by ar and Python's tarfile
       list-tree.py tar FILE        of a tar, also a compressed one
       list-tree.py layers FILE...  of layers that are laid over each other, the lowest first
       list-tree.py dir DIRECTORY   of a directory on disk
"""
import hashlib
import io
import json
import os
import stat
import subprocess
import sys
import tarfile

DECOMPRESSORS = {"gz": ["gzip", "-dc"], "xz": ["xz", "-dc"], "zst": ["zstd", "-dqc"], "tar": ["cat"]}


def clean(name):
    return os.path.normpath(name).lstrip("/")


def digest(data):
    return hashlib.sha256(data).hexdigest()


class Tree:
    def __init__(self):
        self.entries, self.inode, self.owner = {}, {}, {}

    def add_tar(self, stream, package=""):
        archive = tarfile.open(fileobj=stream, mode="r:", errors="surrogateescape")
        for member in archive:
            path = clean(member.name)
            if path == ".":
                continue
            xattrs = {key[13:]: value.encode("utf-8", "surrogateescape").hex() for key, value in member.pax_headers.items() if key.startswith("SCHILY.xattr.")}
            entry = {"mode": oct(member.mode & 0o7777), "uid": member.uid, "gid": member.gid, "mtime": int(member.mtime), "xattrs": xattrs}
            if member.isdir():
                entry["type"] = "dir"
            elif member.issym():
                entry.update(type="symlink", link=member.linkname, mode="-")
            elif member.islnk():
                target = clean(member.linkname)
                entry = dict(self.entries[target])
                if target in self.inode:
                    self.inode.setdefault(path, self.inode[target])
            elif member.ischr() or member.isblk():
                entry.update(type="char" if member.ischr() else "block", link=f"{member.devmajor}:{member.devminor}")
            else:
                data = archive.extractfile(member).read()
                entry.update(type="file", size=len(data), sha256=digest(data))
                self.inode.setdefault(path, (package, path))
            # What was there first stays: repeated directories and identical files.
            self.entries.setdefault(path, entry)

    def lay(self, upper, number):
        """Lays a layer over what is there: its entries hide those below, directories keep what lies in them."""
        for path, entry in upper.entries.items():
            self.entries[path] = entry
            self.inode.pop(path, None)
            if path in upper.inode:
                self.inode[path] = (number, upper.inode[path])

    def add_parents(self):
        for path in list(self.entries):
            while path := os.path.dirname(path):
                self.entries.setdefault(path, {"mode": "0o755", "uid": 0, "gid": 0, "xattrs": {}, "type": "dir", "mtime": None})

    def add_directory(self, root):
        for where, directories, files in os.walk(root):
            for name in directories + files:
                full = os.path.join(where, name)
                path, status = os.path.relpath(full, root), os.lstat(full)
                xattrs = {key: os.getxattr(full, key, follow_symlinks=False).hex() for key in os.listxattr(full, follow_symlinks=False)}
                entry = {"mode": oct(stat.S_IMODE(status.st_mode)), "uid": status.st_uid, "gid": status.st_gid, "mtime": int(status.st_mtime), "xattrs": xattrs}
                if stat.S_ISDIR(status.st_mode):
                    entry["type"] = "dir"
                elif stat.S_ISLNK(status.st_mode):
                    entry.update(type="symlink", link=os.readlink(full), mode="-")
                elif stat.S_ISREG(status.st_mode):
                    with open(full, "rb") as file:
                        data = file.read()
                    entry.update(type="file", size=len(data), sha256=digest(data))
                    self.inode[path] = status.st_ino
                elif stat.S_ISCHR(status.st_mode) or stat.S_ISBLK(status.st_mode):
                    entry.update(type="char" if stat.S_ISCHR(status.st_mode) else "block", link=f"{os.major(status.st_rdev)}:{os.minor(status.st_rdev)}")
                else:
                    entry["type"] = "other"
                self.entries[path] = entry

    def lines(self):
        names = {}
        for path in sorted(self.inode):
            names.setdefault(self.inode[path], []).append(path)
        for path in sorted(self.entries):
            same = names.get(self.inode.get(path), [])
            yield json.dumps({"path": path, **self.entries[path], "names": same if len(same) > 1 else []}, sort_keys=True)


def main():
    kind, *places = sys.argv[1:]
    tree = Tree()
    for number, place in enumerate(places):
        if kind == "dir":
            tree.add_directory(place)
        elif kind == "ipk":
            member = next(name for name in subprocess.run(["ar", "t", place], stdout=subprocess.PIPE, check=True).stdout.decode().split() if name.startswith("data.tar"))
            data = subprocess.run(["ar", "p", place, member], stdout=subprocess.PIPE, check=True).stdout
            data = subprocess.run(DECOMPRESSORS[member.rsplit(".", 1)[1]], input=data, stdout=subprocess.PIPE, check=True).stdout
            tree.add_tar(io.BytesIO(data), place)
        else:
            with open(place, "rb") as file:
                data = file.read()
            if data[:2] == b"\x1f\x8b":
                data = subprocess.run(["gzip", "-dc"], input=data, stdout=subprocess.PIPE, check=True).stdout
            if kind == "layers":
                layer = Tree()
                layer.add_tar(io.BytesIO(data))
                tree.lay(layer, number)
            else:
                tree.add_tar(io.BytesIO(data))
    if kind == "ipk":
        tree.add_parents()
    print("\n".join(tree.lines()))


main()
