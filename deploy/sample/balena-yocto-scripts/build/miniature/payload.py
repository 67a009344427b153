"""Content of files, made from a name alone: the same name gives the same bytes everywhere."""
import hashlib

WORDS = (b"antenna battery carrier decoder enclosure firmware gateway harness inverter junction kernel latency manifest "
         b"network overlay partition queue regulator sensor telemetry update voltage watchdog xattr yield zone").split()


def noise(name, size):
    """Bytes that do not compress."""
    return hashlib.shake_128(("noise " + name).encode()).digest(size)


def text(name, size):
    """Lines of words: compresses about as well as program text."""
    order = noise("order of " + name, 4096)
    line = b"".join(WORDS[value % len(WORDS)] + (b"\n" if value % 11 == 0 else b" ") for value in order)
    title = b"# " + name.encode() + b"\n"
    return (title + line * (size // len(line) + 1))[:size]


def half(name, size):
    """Half noise, half words, in turns of 32 KiB: like a stripped program."""
    turn = 32 << 10
    hard, soft = noise(name, (size + 1) // 2 + turn), text(name, (size + 1) // 2 + turn)
    pieces = []
    for start in range(0, (size + 1) // 2, turn):
        pieces += [hard[start:start + turn], soft[start:start + turn]]
    return b"".join(pieces)[:size]


KINDS = {"noise": noise, "text": text, "half": half}


def size_of(word):
    """'640', '12k' or '3m' as bytes."""
    factor = {"k": 1 << 10, "m": 1 << 20}.get(word[-1:], 1)
    return int(word.rstrip("km")) * factor
