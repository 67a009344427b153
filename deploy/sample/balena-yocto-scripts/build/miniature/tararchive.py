"""A tar writer whose every byte is decided by its arguments: GNU long names, or PAX where extended attributes are wanted."""


class TarArchive:
    """Collects members in memory; `finish` gives the archive."""

    def __init__(self, pax=False, mtime=0):
        self.pax, self.mtime, self.pieces = pax, mtime, []

    def add(self, name, kind="0", data=b"", mode=0o644, uid=0, gid=0, target="", xattrs=None):
        raw, link = name.encode(), target.encode()
        records = {}
        if self.pax:
            if len(raw) > 100 or not raw.isascii():
                records[b"path"] = raw
            if len(link) > 100 or not link.isascii():
                records[b"linkpath"] = link
            for key, value in sorted((xattrs or {}).items()):
                records[b"SCHILY.xattr." + key.encode()] = value
            if records:
                body = b"".join(_record(key, value) for key, value in records.items())
                self._member(b"./PaxHeaders/" + raw[-80:], "x", body, 0o644, 0, 0, b"")
        else:
            assert not xattrs, "extended attributes need PAX"
            if len(link) > 100:
                self._member(b"././@LongLink", "K", link + b"\0", 0o644, 0, 0, b"")
            if len(raw) > 100:
                self._member(b"././@LongLink", "L", raw + b"\0", 0o644, 0, 0, b"")
        self._member(raw, kind, data, mode, uid, gid, link)

    def _member(self, name, kind, data, mode, uid, gid, link):
        self.pieces.append(_header(name[:100], kind, len(data), mode, uid, gid, link[:100], self.mtime, self.pax))
        self.pieces += [data, b"\0" * (-len(data) % 512)]

    def finish(self):
        size = sum(map(len, self.pieces)) + 1024
        return b"".join(self.pieces) + b"\0" * (1024 + -size % 10240)


def _record(key, value):
    body = b" " + key + b"=" + value + b"\n"
    length = len(body) + 1
    while length != len(body) + len(str(length)):
        length = len(body) + len(str(length))
    return str(length).encode() + body


def _header(name, kind, size, mode, uid, gid, link, mtime, pax):
    def octal(value, width):
        return b"%0*o\0" % (width - 1, value)

    magic = b"ustar\x0000" if pax else b"ustar  \0"
    owner = b"root" if uid == 0 else b""
    head = (name.ljust(100, b"\0") + octal(mode, 8) + octal(uid, 8) + octal(gid, 8) + octal(size, 12) + octal(mtime, 12)
            + b" " * 8 + kind.encode() + link.ljust(100, b"\0") + magic + owner.ljust(32, b"\0") + owner.ljust(32, b"\0")).ljust(512, b"\0")
    return head[:148] + b"%06o\0 " % sum(head) + head[156:]
