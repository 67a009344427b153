#!/usr/bin/env python3
"""Writes an OCI layout with two images (tags one, two) that share a layer and hold everything a layer can hold.

make-images.py DIRECTORY [MEBIBYTES] [FILES]: so much content, in so many small files. The same arguments give the same bytes.
"""
import gzip
import hashlib
import io
import json
import os
import random
import sys
import tarfile

directory, mebibytes, files = sys.argv[1], int((sys.argv + ["", "1"])[2] or 1), int((sys.argv + ["", "", "40"])[3] or 40)
noise = random.Random(7)
words = [noise.randbytes(8).hex().encode() for _ in range(512)]
EPOCH = 1700000000


def content(size):
    """Half of it compresses, as programs do."""
    half = size // 2
    text = b" ".join(noise.choice(words) for _ in range(half // 17 + 1))[:half]
    return text + noise.randbytes(size - half)


class Layer:
    def __init__(self):
        self.buffer = io.BytesIO()
        self.tar = tarfile.open(fileobj=self.buffer, mode="w", format=tarfile.PAX_FORMAT)

    def add(self, name, data=None, kind=tarfile.REGTYPE, mode=0o644, uid=0, gid=0, mtime=EPOCH, link="", device=(0, 0), xattrs=None):
        info = tarfile.TarInfo(name)
        info.type, info.mode, info.uid, info.gid, info.mtime, info.linkname = kind, mode, uid, gid, mtime, link
        info.devmajor, info.devminor = device
        for key, value in (xattrs or {}).items():
            info.pax_headers["SCHILY.xattr." + key] = value.decode("utf-8", "surrogateescape")
        info.size = len(data) if data else 0
        self.tar.addfile(info, io.BytesIO(data) if data else None)

    def directory(self, name, mode=0o755, **rest):
        self.add(name, kind=tarfile.DIRTYPE, mode=mode, **rest)

    def close(self, pad=b""):
        self.tar.close()
        return self.buffer.getvalue() + pad


CAPABILITY = bytes([1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])


def base():
    layer = Layer()
    layer.directory("./")
    for name in ("etc", "usr", "usr/bin", "usr/lib", "var", "many", "deep"):
        layer.directory(name)
    layer.directory("tmp", mode=0o1777)
    layer.add("etc/hostname", b"block\n")
    layer.add("etc/gone", b"deleted by the next layer\n")
    layer.directory("etc/opaque")
    layer.add("etc/opaque/below", b"hidden by the next layer\n")
    layer.add("usr/bin/sudo", content(20000), mode=0o4755)
    layer.add("usr/bin/sgid", content(100), mode=0o2755, gid=42)
    layer.add("usr/bin/ping", content(30000), mode=0o755, xattrs={"security.capability": CAPABILITY})
    layer.add("usr/bin/attr", b"x", xattrs={"user.binary": b"a\0b\n\xff=c", "user.second": b"2", "user.long": b"v" * 300})
    for name, target in (("ping6", "usr/bin/ping"), ("ping7", "./usr/bin/ping6")):
        layer.add("usr/bin/" + name, kind=tarfile.LNKTYPE, link=target, mode=0o755, xattrs={"security.capability": CAPABILITY})
    # A last name that says otherwise: the engine lets it win, and takes the capability away.
    layer.add("usr/bin/once", b"able", mode=0o755, xattrs={"security.capability": CAPABILITY, "user.kept": b"1"})
    layer.add("usr/bin/twice", kind=tarfile.LNKTYPE, link="usr/bin/once", mode=0o700, uid=7, mtime=EPOCH + 9)
    layer.add("usr/bin/sh", kind=tarfile.SYMTYPE, link="busybox")
    layer.add("usr/lib/link59", kind=tarfile.SYMTYPE, link="t" * 59)
    layer.add("usr/lib/link60", kind=tarfile.SYMTYPE, link="t" * 60)
    layer.add("usr/lib/link151", kind=tarfile.SYMTYPE, link="/" + "u" * 150, uid=5)
    layer.add("usr/lib/linked", kind=tarfile.LNKTYPE, link="usr/lib/link151")
    layer.add("dev-null", kind=tarfile.CHRTYPE, mode=0o666, device=(1, 3))
    layer.add("dev-high", kind=tarfile.CHRTYPE, mode=0o600, device=(240, 300))
    layer.add("dev-block", kind=tarfile.BLKTYPE, mode=0o660, gid=6, device=(8, 1))
    layer.add("fifo", kind=tarfile.FIFOTYPE, mode=0o640)
    layer.add("owned", b"by a user with a large number\n", uid=100000, gid=4000000000)
    layer.add("future", b"2100\n", mtime=4102444800)
    layer.add("fraction", b"time\n", mtime=EPOCH + 0.25)
    layer.add("before", b"1960\n", mtime=-300000000)
    layer.add("empty")
    layer.add("name with 'quotes\" and \\ \t", b"1")
    layer.add("großer-name-ü-漢字", b"2")
    layer.add("n" * 200, b"3")
    for depth in range(1, 13):
        layer.directory("deep/" + "/".join("d" * 30 for _ in range(depth)))
    layer.add("deep/" + "/".join("d" * 30 for _ in range(12)) + "/file", b"4")
    hole = bytearray(300000)
    hole[5000:5010] = b"0123456789"
    hole[200000:200100] = content(100)
    layer.add("holes", bytes(hole))
    layer.add("zeros", bytes(100000))
    layer.add("blocks-4096", content(4096))
    layer.add("blocks-4097", content(4097))
    size = mebibytes << 20
    for index in range(8):
        layer.add(f"usr/lib/library-{index}.so", content(size // 8))
    for index in range(files):
        layer.add(f"many/file-{index:06}", content(200 + index % 3000))
    return layer.close(pad=bytes(3000))


def change():
    layer = Layer()
    for name in ("usr", "usr/lib", "etc/opaque"):
        layer.directory(name)
    layer.directory("etc", mode=0o751)
    layer.add("etc/.wh.gone")
    layer.add("etc/opaque/.wh..wh..opq")
    layer.add("etc/opaque/above", b"seen\n")
    layer.add("etc/hostname", b"changed\n")
    layer.add("implied/parent/file", b"its directories are not listed\n")
    layer.add("usr/lib/more.so", content((mebibytes << 20) // 4))
    return layer.close()


def other():
    layer = Layer()
    layer.directory("opt")
    layer.add("opt/program", content((mebibytes << 20) // 8), mode=0o755)
    return layer.close()


def members(tar):
    """gzip of many members, as blockfarm writes layers."""
    step = 1 << 20
    return b"".join(gzip.compress(tar[at:at + step], 6, mtime=0) for at in range(0, len(tar), step))


def put(data):
    digest = hashlib.sha256(data).hexdigest()
    with open(f"{directory}/blobs/sha256/{digest}", "wb") as file:
        file.write(data)
    return {"digest": "sha256:" + digest, "size": len(data)}


os.makedirs(directory + "/blobs/sha256")
first, second, third = base(), change(), other()
packed = {"first": members(first), "second": gzip.compress(second, 6, mtime=0), "third": third}
manifests = []
for tag, layers in (("one", [("first", first), ("second", second)]), ("two", [("first", first), ("third", third)])):
    config = {"architecture": "amd64", "os": "linux", "created": "2023-11-14T22:13:20Z",
              "config": {"Labels": {"io.balena.image.class": "overlay", "io.balena.image.store": "data", "blockfarm.test": tag}},
              "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(tar).hexdigest() for _, tar in layers]},
              "history": [{"created": "2023-11-14T22:13:20Z", "created_by": "test"} for _ in layers]}
    base_type = "application/vnd.oci.image."
    manifest = {"schemaVersion": 2, "mediaType": base_type + "manifest.v1+json",
                "config": {"mediaType": base_type + "config.v1+json", **put(json.dumps(config).encode())},
                "layers": [{"mediaType": base_type + ("layer.v1.tar" if name == "third" else "layer.v1.tar+gzip"), **put(packed[name])}
                           for name, _ in layers]}
    manifests.append({"mediaType": base_type + "manifest.v1+json", **put(json.dumps(manifest).encode()),
                      "annotations": {"org.opencontainers.image.ref.name": tag}})
with open(directory + "/index.json", "w") as file:
    json.dump({"schemaVersion": 2, "manifests": manifests}, file)
with open(directory + "/oci-layout", "w") as file:
    file.write('{"imageLayoutVersion":"1.0.0"}')
