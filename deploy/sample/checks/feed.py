"""Checks a feed directory: index against files, archives against what blocks are meant to be tested with. Prints one line a check."""
import gzip
import hashlib
import io
import lzma
import os
import subprocess
import sys
import tarfile


def members(data):
    """Name and bytes of each member of an ar archive."""
    assert data[:8] == b"!<arch>\n"
    at, found = 8, []
    while at < len(data):
        head = data[at:at + 60]
        size = int(head[48:58])
        assert head[58:60] == b"`\n" and head[16:40].split() == [b"0", b"0", b"0"], head
        found.append((head[:16].rstrip().decode(), data[at + 60:at + 60 + size]))
        at += 60 + size + size % 2
    return found


def plain(name, data):
    if name.endswith(".gz"):
        return gzip.decompress(data)
    if name.endswith(".xz"):
        return lzma.decompress(data)
    return subprocess.run(["zstd", "-q", "-d", "-c"], input=data, stdout=subprocess.PIPE, check=True).stdout


def stanzas(path):
    with open(path, encoding="utf-8") as file:
        return [dict(line.split(": ", 1) for line in stanza.split("\n")) for stanza in file.read().strip().split("\n\n")]


feed = sys.argv[1]
failures = 0


def check(what, holds):
    global failures
    failures += not holds
    print(("ok   " if holds else "FAIL ") + what)


kinds, entries, scripts, versions = set(), [], 0, {}
totals, indexes = {}, {}
for arch in sorted(os.listdir(feed)):
    directory = os.path.join(feed, arch)
    if not os.path.isdir(directory):
        continue
    listed = indexes[arch] = stanzas(os.path.join(directory, "Packages"))
    with open(os.path.join(directory, "Packages"), "rb") as raw, gzip.open(os.path.join(directory, "Packages.gz")) as packed:
        check(f"{arch}: Packages.gz holds Packages", raw.read() == packed.read())
    check(f"{arch}: every ipk is listed", sorted(each["Filename"] for each in listed) == sorted(name for name in os.listdir(directory) if name.endswith(".ipk")))
    check(f"{arch}: Packages.stamps is there", os.path.getsize(os.path.join(directory, "Packages.stamps")) > 0)
    for each in listed:
        with open(os.path.join(directory, each["Filename"]), "rb") as file:
            data = file.read()
        versions.setdefault(each["Package"], []).append((arch, each["Version"]))
        check(f"{each['Filename']}: size and digests agree", len(data) == int(each["Size"]) and hashlib.sha256(data).hexdigest() == each["SHA256sum"]
              and hashlib.md5(data).hexdigest() == each["MD5Sum"])
        parts = members(data)
        check(f"{each['Filename']}: three members in order", [name.split(".")[0] for name, _ in parts] == ["debian-binary", "control", "data"])
        kinds.add(parts[2][0].rsplit(".", 1)[1])
        with tarfile.open(fileobj=io.BytesIO(plain(*parts[1]))) as control:
            text = control.extractfile("./control").read().decode()
            check(f"{each['Filename']}: control says the same", f"Package: {each['Package']}\n" in text and f"Architecture: {each['Architecture']}\n" in text)
            scripts += "./postinst" in control.getnames()
        with tarfile.open(fileobj=io.BytesIO(plain(*parts[2])), encoding="utf-8", errors="surrogateescape") as archive:
            for entry in archive:
                content = hashlib.sha256(archive.extractfile(entry).read()).hexdigest() if entry.isfile() else ""
                entries.append((each["Package"], entry, content))
                totals[each["Package"]] = totals.get(each["Package"], 0) + entry.size

check("the top level Packages is empty", os.path.getsize(os.path.join(feed, "Packages")) == 0)
check("data archives come as gz, xz and zst", kinds == {"gz", "xz", "zst"})
check("a package has a maintainer script", scripts >= 1)
check("acme-diag-config is older in the machine's directory", len({version for _, version in versions["acme-diag-config"]}) == 2)
check("os-release says all", versions["os-release"] == [("all", "1.0-r0")])


provided = {each["Package"]: each["Provides"] for listed in indexes.values() for each in listed if "Provides" in each}
check("a library's package is renamed and provides its old name", provided == {"libacmegl5": "acme-gpu-libraries (= 5.2)"})


def has(what, predicate):
    check(what, any(predicate(entry) for _, entry, _ in entries))


has("a setuid file", lambda e: e.isfile() and e.mode & 0o4000)
has("a setgid file", lambda e: e.isfile() and e.mode & 0o2000)
has("a sticky directory for all", lambda e: e.isdir() and e.mode == 0o1777)
has("a directory of mode 750 that is not root's", lambda e: e.isdir() and e.mode == 0o750 and e.uid == 941 and e.gid == 941)
has("a symbolic link", lambda e: e.issym())
has("a hard link", lambda e: e.islnk())
has("a path longer than 100 bytes", lambda e: len(e.name) > 100)
has("a path that is not ASCII", lambda e: not e.name.isascii())
has("a path with a space", lambda e: " " in e.name)
has("an empty file", lambda e: e.isfile() and e.size == 0)
capability = "SCHILY.xattr.security.capability"
has("a capability attribute of 20 bytes", lambda e: len(e.pax_headers.get(capability, "").encode("utf-8", "surrogateescape")) == 20)
has("a capability attribute that is not UTF-8", lambda e: b"\x80" in e.pax_headers.get(capability, "").encode("utf-8", "surrogateescape"))
has("a user attribute", lambda e: any(key.startswith("SCHILY.xattr.user.") for key in e.pax_headers))
same = [(package, content) for package, entry, content in entries if entry.name == "./usr/share/licenses/acme/COPYING"]
check("one path with one content in two packages", len(same) == 2 and len({content for _, content in same}) == 1)
for block, packages in {"acme-diagnostics": ("acme-diag-tools", "acme-diag-data"), "acme-wireless": ("acme-wireless-a1", "acme-wireless-a2"),
                        "acme-gpu": ("libacmegl5", "acme-gpu-firmware")}.items():
    check(f"{block} holds at least 5 MB", sum(totals[name] for name in packages) >= 5_000_000)
sys.exit(1 if failures else 0)
