"""Packages as real `ar` archives, and the index of a directory of them."""
import gzip
import hashlib
import io
import lzma
import os
import re
import struct
import subprocess

import payload
from tararchive import TarArchive

# Bits of the file capability attribute (version 2, effective): linux/capability.h.
CAPABILITIES = {"net_raw": 13, "net_bind_service": 10, "setuid": 7, "sys_admin": 21}


def capability(names):
    bits = sum(1 << CAPABILITIES[name] for name in names.split(","))
    return struct.pack("<IIIII", 0x02000001, bits & 0xFFFFFFFF, 0, bits >> 32, 0)


def compress(kind, data):
    if kind == "gz":
        out = io.BytesIO()
        with gzip.GzipFile(filename="", mode="wb", fileobj=out, compresslevel=1, mtime=0) as file:
            file.write(data)
        return out.getvalue()
    if kind == "xz":
        return lzma.compress(data, preset=0)
    return subprocess.run(["zstd", "-q", "-3", "-c"], input=data, stdout=subprocess.PIPE, check=True).stdout


def tree(package, context):
    """The data archive of a package, from the steps of its recipe."""
    entries = {}

    def entry(path, **fields):
        parent = os.path.dirname(path)
        if parent not in ("", "/") and parent not in entries:
            entry(parent, kind="5", mode=0o755)
        entries[path] = {**entries.get(path, {}), **fields}

    for step in package.steps:
        verb, path, *rest = [word.replace("${MACHINE}", context["MACHINE"]).replace("%20", " ") for word in step]
        if verb == "dir":
            entry(path, kind="5", mode=int(rest[0], 8))
        elif verb == "file":
            data = payload.KINDS[rest[1]](f"{package.recipe.name} {context.get(path, '')}{rest[3] if len(rest) > 3 else path}", payload.size_of(rest[2]))
            entry(path, kind="0", mode=int(rest[0], 8), data=data)
        elif verb == "say":
            words = " ".join(rest[1:]).replace("|", "\n") + "\n"
            entry(path, kind="0", mode=int(rest[0], 8), data=words.format_map(context).encode())
        elif verb == "link":
            entry(path, kind="2", mode=0o777, target=rest[0])
        elif verb == "hard":
            entry(path, kind="1", mode=entries[rest[0]]["mode"], target="." + rest[0])
        elif verb == "own":
            entry(path, uid=int(rest[0]), gid=int(rest[1]))
        elif verb == "xattr":
            value = capability(rest[1]) if rest[0] == "security.capability" else " ".join(rest[1:]).encode()
            entry(path, xattrs={**entries[path].get("xattrs", {}), rest[0]: value})
        else:
            raise ValueError(f"{package.recipe.path}: unknown step '{verb}' for {package.name}")
    archive = TarArchive(pax=any("xattrs" in fields for fields in entries.values()), mtime=context["EPOCH"])
    archive.add("./", kind="5", mode=0o755)
    # A hard link must come after the file that it names.
    for path in sorted(entries, key=lambda path: (entries[path]["kind"] == "1", path)):
        fields = entries[path]
        archive.add("." + path + ("/" if fields["kind"] == "5" else ""), **fields)
    return archive.finish()


def control(package, arch):
    recipe = package.recipe
    lines = [f"Package: {package.file_name}", f"Version: {recipe.version}-{recipe.revision}", f"Description: {package.summary}",
             "Section: base", "Priority: optional", "Maintainer: Acme Boards <boards@acme.example>", f"License: {recipe.license}",
             f"Architecture: {arch}", f"OE: {recipe.name}"]
    if package.depends:
        lines.append(f"Depends: {package.depends}")
    if package.file_name != package.name:
        lines.append(f"Provides: {package.name} (= {recipe.version})")
    return "\n".join([*lines, f"Source: {os.path.basename(recipe.path)}", ""])


def build(package, machine, context):
    """File name and bytes of one ipk."""
    arch = package.arch(machine)
    meta = TarArchive(mtime=context["EPOCH"])
    meta.add("./", kind="5", mode=0o755)
    meta.add("./control", data=control(package, arch).encode())
    if package.script:
        meta.add("./postinst", data=("#!/bin/sh\n" + package.script.replace("|", "\n") + "\n").encode(), mode=0o755)
    members = [("debian-binary", b"2.0\n"), ("control.tar.gz", compress("gz", meta.finish())),
               ("data.tar." + package.compression, compress(package.compression, tree(package, context)))]
    out = [b"!<arch>\n"]
    for name, data in members:
        out += [f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(data):<10}`\n".encode(), data, b"\n" * (len(data) % 2)]
    return f"{package.file_name}_{package.recipe.version}-{package.recipe.revision}_{arch}.ipk", b"".join(out)


def read_control(path):
    """The control text of an ipk on disk."""
    with open(path, "rb") as file:
        file.seek(8)
        while head := file.read(60):
            size = int(head[48:58])
            if head[:16].rstrip() == b"control.tar.gz":
                data = gzip.decompress(file.read(size))
                offset = 0
                while data[offset:offset + 100].rstrip(b"\0") != b"./control":
                    offset += 512 + (int(data[offset + 124:offset + 135], 8) + 511) // 512 * 512
                return data[offset + 512:offset + 512 + int(data[offset + 124:offset + 135], 8)].decode()
            file.seek(size + size % 2, 1)
    raise ValueError(f"{path} holds no control.tar.gz")


ORDER = ("Package", "Version", "Depends", "Provides", "Section", "Architecture", "Maintainer")


def write_index(directory):
    """Writes Packages, Packages.gz and Packages.stamps of one architecture directory; gives the number of packages."""
    stanzas, stamps = [], []
    names = sorted(name for name in os.listdir(directory) if name.endswith(".ipk"))
    for name in names:
        path = os.path.join(directory, name)
        with open(path, "rb") as file:
            data = file.read()
        fields = dict(re.findall(r"^([A-Za-z-]+): (.*)$", read_control(path), re.M))
        lines = [f"{key}: {fields[key]}" for key in ORDER if key in fields]
        lines += [f"MD5Sum: {hashlib.md5(data).hexdigest()}", f"SHA256sum: {hashlib.sha256(data).hexdigest()}",
                  f"Size: {len(data)}", f"Filename: {name}"]
        lines += [f"{key}: {fields[key]}" for key in ("Source", "Description", "OE", "License", "Priority")]
        stanzas.append("\n".join(lines) + "\n\n")
        stamps.append(f"{int(os.stat(path).st_mtime)} {name}\n")
    text = "".join(stanzas).encode()
    for name, data in (("Packages", text), ("Packages.gz", compress("gz", text)), ("Packages.stamps", "".join(stamps).encode())):
        with open(os.path.join(directory, name), "wb") as file:
            file.write(data)
    return len(names)
