"""Parsing of the recipes: takes time, and is kept in a cache by the path of each recipe, as bitbake's is."""
import hashlib
import json
import os
import time

from recipes import Recipe, RecipeError


def stamp(path):
    """What bitbake compares of a file: its time, size and inode."""
    status = os.stat(path)
    return [status.st_mtime_ns, status.st_size, status.st_ino]


class ParseCache:
    """One file for each configuration: a changed local.conf, machine or `-R` file has a cache of its own."""

    def __init__(self, root, build, machine, settings, words):
        conf = [os.path.join(build, "conf", name) for name in ("local.conf", "bblayers.conf")] + [machine.path]
        conf += [words[at + 1] for at, word in enumerate(words[:-1]) if word in ("-R", "--postread", "-r", "--read")]
        digest = hashlib.sha256()
        for path in conf:
            with open(path, "rb") as file:
                digest.update(path.encode() + b"\0" + file.read())
        directory = settings.get("CACHE", "${TMPDIR}/cache").replace("${TMPDIR}", os.path.join(build, "tmp")).replace("${TOPDIR}", build)
        self.root, self.path = root, os.path.join(directory, "default-glibc", machine.name, "bb_cache.dat." + digest.hexdigest())

    def load(self, paths, seconds, fault, say):
        """The recipes of the files, by name; later ones replace earlier ones. Of `seconds`, a cold parse, each file takes its share."""
        say("Loading cache...done.")
        known = {}
        if os.path.exists(self.path):
            with open(self.path, encoding="utf-8") as file:
                known = json.load(file)
        say(f"Loaded {len(known) * 2} entries from dependency cache.")
        now = {path: stamp(path) for path in paths}
        stale = [path for path in paths if known.get(path) != now[path]]
        # The progress line is not ended yet when the first error comes: errors stand on it.
        progress = "Parsing recipes..." if stale else ""
        found = {}
        for path in paths:
            if path in stale:
                time.sleep(seconds / len(paths))
            try:
                recipe = Recipe(path)
                if path in stale and recipe.name == fault:
                    raise RecipeError(f"ParseError at {path}:1: unparsed line: 'this is no assignment'")
            except RecipeError as error:
                raise RecipeError(f"{progress}ERROR: {error}\nERROR: Parsing halted due to errors, see error messages above") from error
            found[recipe.name] = recipe
        if stale:
            say("Parsing recipes...done.", f"Parsing of {len(paths)} .bb files complete ({len(paths) - len(stale)} cached, {len(stale)} parsed). "
                f"{len(paths) * 2} targets, 0 skipped, 0 masked, 0 errors.")
            os.makedirs(os.path.dirname(self.path), exist_ok=True)
            with open(self.path + ".new", "w", encoding="utf-8") as file:
                json.dump(now, file)
            os.replace(self.path + ".new", self.path)
        return found
