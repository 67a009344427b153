#!/usr/bin/env python3
"""Makes a feed from a description on standard input, with the real tools: tar (or Python's tarfile), gzip, xz, zstd and ar.

usage: make-feed.py DIRECTORY < feed.json

The description is a list of packages: name, version, arch, compression (gz, xz, zst or none), recipe, scripts, and entries: path, type
(dir, file, symlink, hardlink, char, block), mode, uid, gid, mtime, link, text or random (a size, filled with reproducible noise), xattrs (values in hex), device (major, minor).
"license" goes into the index, as do "fields", further lines of the control file. "container": "tar" makes the outer archive a compressed tar.
"tar": "gnu" has the entries written to a directory and packed by GNU tar.
"""
import hashlib
import io
import json
import os
import random
import subprocess
import sys
import tarfile
import tempfile

COMPRESSORS = {"gz": ["gzip", "-nc"], "xz": ["xz", "-0c"], "zst": ["zstd", "-qc"], "none": ["cat"]}
TYPES = {"dir": tarfile.DIRTYPE, "file": tarfile.REGTYPE, "symlink": tarfile.SYMTYPE, "hardlink": tarfile.LNKTYPE, "char": tarfile.CHRTYPE,
         "block": tarfile.BLKTYPE}


def content(entry):
    if "random" in entry:
        return random.Random(entry["path"]).randbytes(entry["random"])
    return entry.get("text", "").encode()


def pax_tar(entries):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for entry in entries:
            data = content(entry)
            info = tarfile.TarInfo("./" + entry["path"])
            info.type, info.size, info.linkname = TYPES[entry["type"]], len(data), entry.get("link", "")
            info.mode, info.mtime = int(entry.get("mode", "755"), 8), entry.get("mtime", 1500000000)
            info.devmajor, info.devminor = entry.get("device", (0, 0))
            info.uid, info.gid = entry.get("uid", 0), entry.get("gid", 0)
            # Surrogates stand for raw bytes, so that binary values survive Python's text records.
            for key, value in entry.get("xattrs", {}).items():
                info.pax_headers["SCHILY.xattr." + key] = bytes.fromhex(value).decode("utf-8", "surrogateescape")
            tar.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def gnu_tar(entries):
    with tempfile.TemporaryDirectory() as root:
        for entry in entries:
            path = os.path.join(root, entry["path"])
            if entry["type"] == "dir":
                os.mkdir(path)
            elif entry["type"] == "symlink":
                os.symlink(entry["link"], path)
            elif entry["type"] == "hardlink":
                os.link(os.path.join(root, entry["link"]), path)
            else:
                with open(path, "wb") as file:
                    file.write(content(entry))
            if entry["type"] in ("dir", "file"):
                os.chmod(path, int(entry.get("mode", "755"), 8))
        return subprocess.run(["tar", "--format=gnu", "--sort=name", "--owner=root:0", "--group=root:0", "--mtime=@1500000000", "-cf", "-", "-C", root, "."],
                              stdout=subprocess.PIPE, check=True).stdout


def compress(kind, data):
    return subprocess.run(COMPRESSORS[kind], input=data, stdout=subprocess.PIPE, check=True).stdout


def main():
    root = sys.argv[1]
    stanzas = {}
    for package in json.load(sys.stdin):
        arch, kind = package["arch"], package.get("compression", "gz")
        os.makedirs(f"{root}/{arch}", exist_ok=True)
        fields = f"Package: {package['name']}\nVersion: {package['version']}\nArchitecture: {arch}\nOE: {package.get('recipe', package['name'])}\n"
        if "license" in package:
            fields += f"License: {package['license']}\n"
        fields += "".join(line + "\n" for line in package.get("fields", []))
        control = [{"path": "control", "type": "file", "mode": "644", "text": fields}]
        control += [{"path": script, "type": "file", "text": "#!/bin/sh\nexit 0\n"} for script in package.get("scripts", [])]
        data = gnu_tar(package["entries"]) if package.get("tar") == "gnu" else pax_tar(package["entries"])
        name = f"{package['name']}_{package['version']}_{arch}.ipk"
        with tempfile.TemporaryDirectory() as work:
            members = {"debian-binary": b"2.0\n", "control.tar.gz": compress("gz", pax_tar(control)),
                       "data.tar" + ("" if kind == "none" else "." + kind): compress(kind, data)}
            for member, value in members.items():
                with open(f"{work}/{member}", "wb") as file:
                    file.write(value)
            out = os.path.abspath(f"{root}/{arch}/{name}")
            if package.get("container") == "tar":
                subprocess.run(["tar", "--owner=0", "--group=0", "--mtime=@0", "-zcf", out, *("./" + name for name in members)], cwd=work, check=True)
            else:
                subprocess.run(["ar", "qcD", out, *members], cwd=work, check=True)
        with open(out, "rb") as file:
            ipk = file.read()
        stanzas.setdefault(arch, []).append(f"{fields}Size: {len(ipk)}\nSHA256sum: {hashlib.sha256(ipk).hexdigest()}\nFilename: {name}\n\n")
    for arch, texts in stanzas.items():
        text = "".join(texts).encode()
        for name, value in (("Packages", text), ("Packages.gz", compress("gz", text))):
            with open(f"{root}/{arch}/{name}", "wb") as file:
                file.write(value)


main()
