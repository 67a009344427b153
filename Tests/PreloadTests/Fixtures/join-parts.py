#!/usr/bin/env python3
"""join-parts.py IMAGE MANIFEST FOLDER: reads a split image as its readers do and compares it with IMAGE. Prints "start length partitionIndex" of every part."""
import json
import os
import sys
import zlib

image, manifest, folder = sys.argv[1:]
END = b"\x03\x00"
with open(manifest) as file:
    document = json.load(file)
assert list(document) == ["resin.img"] and list(document["resin.img"]) == ["parts"], document
parts = document["resin.img"]["parts"]
assert sorted(os.listdir(folder)) == sorted(part["filename"] for part in parts), os.listdir(folder)
whole = zlib.decompressobj(-15)
start = 0
with open(image, "rb") as disk:
    for number, part in enumerate(parts):
        assert part["filename"] == f"part-{number}.deflate", part
        assert set(part) - {"partitionIndex"} == {"filename", "crc", "len", "zLen"}, part
        with open(os.path.join(folder, part["filename"]), "rb") as file:
            raw = file.read()
        assert len(raw) == part["zLen"] and raw[-4:] == b"\x00\x00\xff\xff", part
        alone = zlib.decompressobj(-15)
        content = alone.decompress(raw + END)
        assert alone.eof and not alone.unused_data, part
        assert len(content) == part["len"] and zlib.crc32(content) == part["crc"], part
        assert whole.decompress(raw) == content == disk.read(part["len"]), part
        print(start, part["len"], part.get("partitionIndex", "-"))
        start += part["len"]
    assert whole.decompress(END) == b"" and whole.eof and not whole.unused_data, "no whole stream"
    assert disk.read() == b"" and start == os.path.getsize(image), "the image goes on"
