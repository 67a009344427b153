#!/usr/bin/env python3
"""make-gpt.py FILE BLOCK: a disk image with a GPT of blocks of that size (UEFI specification, chapter 5): entries 1 and 3 are used, noise is everywhere else."""
import random
import struct
import sys
import zlib

path, block = sys.argv[1], int(sys.argv[2])
blocks, first, last = 420, 40, 380
disk = bytearray(random.Random(block).randbytes(blocks * block))
protective = struct.pack("<B3sB3sII", 0, bytes(3), 0xEE, bytes(3), 1, blocks - 1)
disk[:block] = bytes(446) + protective + bytes(48) + b"\x55\xaa" + bytes(block - 512)
table = bytearray(128 * 128)
for index, (start, end) in {0: (50, 99), 2: (120, 371)}.items():
    table[128 * index:128 * index + 48] = bytes([17]) * 16 + bytes([index + 1]) * 16 + struct.pack("<QQ", start, end)


def header(own, other, entries):
    def pack(crc):
        return struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, crc, 0, own, other, first, last, bytes(16), entries, 128, 128, zlib.crc32(table))
    return pack(zlib.crc32(pack(0))) + bytes(block - 92)


disk[block:2 * block] = header(1, blocks - 1, 2)
disk[2 * block:2 * block + len(table)] = table
backup = blocks - 1 - len(table) // block
disk[backup * block:-block] = table
disk[-block:] = header(blocks - 1, 1, backup)
with open(path, "wb") as file:
    file.write(disk)
