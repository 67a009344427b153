"""Puts a split disk image together again, for deploy/check-publishing. Ends with status 1 and a reason on standard error.

  split_image.py DIRECTORY image|flasher|raw IMAGE

DIRECTORY holds release assets: `image.json` and `compressed/part-N.deflate`, or those with `-flasher` or `-raw` behind the name. What they make must
be IMAGE, byte for byte, and the parts with a partition's number must be what sfdisk says that partition is.
"""

import json
import pathlib
import re
import subprocess
import sys
import zlib

# RFC 1951: the empty final block, which whoever joins the parts puts behind them.
FINAL_BLOCK = b"\x03\x00"


def equal(what, found, wanted):
    if found != wanted:
        sys.exit(f"{what} is {found!r}, not {wanted!r}")


def partitions(image):
    """Start and size in bytes by number; extended partitions hold no data of their own."""
    told = subprocess.run(["sfdisk", "--json", image], check=True, capture_output=True, env={"PATH": "/usr/sbin:/sbin:/usr/bin:/bin", "LC_ALL": "C"})
    table = json.loads(told.stdout)["partitiontable"]
    sector = table.get("sectorsize", 512)
    rows = [row for row in table["partitions"] if table["label"] != "dos" or row["type"] not in ("5", "f", "85")]
    return {int(re.search(r"\d+$", row["node"])[0]): (row["start"] * sector, row["size"] * sector) for row in rows}


def main(directory, kind, image):
    root, suffix = pathlib.Path(directory), "" if kind == "image" else "-" + kind
    parts = json.loads((root / f"image{suffix}.json").read_text())["resin.img"]["parts"]
    folder = root / f"compressed{suffix}"
    equal("the set of parts", sorted(path.name for path in folder.iterdir()), sorted(part["filename"] for part in parts))
    whole, position, numbered = zlib.decompressobj(-15), 0, {}
    with open(image, "rb") as disk:
        for part in parts:
            name, data = part["filename"], (folder / part["filename"]).read_bytes()
            equal(f"the length of {name}", len(data), part["zLen"])
            # By itself, for the numbers that the manifest says of it; and as a piece of the one stream.
            try:
                alone = zlib.decompressobj(-15).decompress(data + FINAL_BLOCK)
            except zlib.error as error:
                sys.exit(f"{name} cannot be inflated: {error}")
            equal(f"the inflated length of {name}", len(alone), part["len"])
            equal(f"the CRC-32 of {name}", zlib.crc32(alone), part["crc"])
            joined = whole.decompress(data)
            equal(f"whether the stream ends in {name}", whole.eof, False)
            if not joined == alone == disk.read(len(alone)):
                sys.exit(f"{name} is not bytes {position} to {position + len(alone)} of {image}")
            if number := part.get("partitionIndex"):
                numbered[int(number.strip("()"))] = (position, len(alone))
            position += len(alone)
        equal("what the final block adds", (whole.decompress(FINAL_BLOCK), whole.eof, whole.unused_data), (b"", True, b""))
        equal("what the image has behind the last part", disk.read(1), b"")
    equal("the list of partitions", numbered, partitions(image))


if __name__ == "__main__":
    main(*sys.argv[1:])
