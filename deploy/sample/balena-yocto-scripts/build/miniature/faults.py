"""Faults on demand: `miniature.conf` in the repository's root, and MINIATURE_FAULTS in the environment (entries divided by `;`).

An entry is KEY=VALUE[@TARGET]; TARGET is a machine, a slug or a manifest's file name. The README lists the keys.
"""
import os

KEYS = {"fail", "no-fetch", "qa", "fetch", "parse-error", "parse", "hosttool", "alive", "lie", "slow", "silent", "hang", "missing-package", "corrupt-ipk", "broken-archive", "no-data-partition", "no-hostapp", "no-image"}


class FaultError(Exception):
    pass


class Faults:
    def __init__(self, root, names):
        self.values = {}
        entries = [("MINIATURE_FAULTS", entry) for entry in os.environ.get("MINIATURE_FAULTS", "").split(";")]
        path = os.path.join(root, "miniature.conf")
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                entries += [(path, line.split("#")[0]) for line in file]
        for place, entry in entries:
            if not entry.strip():
                continue
            key, equal, value = entry.strip().partition("=")
            value, at, target = value.partition("@")
            if key not in KEYS or not equal or not value:
                raise FaultError(f"{place}: unknown fault '{entry.strip()}'")
            if not at or target in names:
                self.values.setdefault(key, []).append(value)

    def all(self, key):
        return self.values.get(key, [])

    def one(self, key):
        return self.all(key)[-1] if self.all(key) else ""

    def seconds(self, key):
        return float(self.one(key) or 0)

    @property
    def signature(self):
        """Faults that change what is made; the others only change how it goes."""
        return repr([(key, self.all(key)) for key in ("missing-package", "broken-archive", "no-data-partition", "no-hostapp", "no-image")])
