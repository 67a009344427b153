"""Reads recipe and configuration files of the layers: assignments only, which is all that the sample recipes use."""
import glob
import hashlib
import os
import re

ASSIGNMENT = re.compile(r'^([A-Za-z0-9_:.+-]+)\s*\?*=\s*"(.*)"\s*$', re.S)


class RecipeError(Exception):
    pass


def assignments(path):
    """The variables of a file; a line that ends in a backslash goes on in the next one."""
    with open(path, encoding="utf-8") as file:
        joined = file.read().replace("\\\n", " ")
    values = {}
    for number, line in enumerate(joined.split("\n"), 1):
        line = line.strip()
        if not line or line.startswith(("#", "inherit ", "require ")):
            continue
        match = ASSIGNMENT.match(line)
        if not match:
            raise RecipeError(f"ParseError at {path}:{number}: unparsed line: '{line}'")
        values[match[1]] = match[2].strip()
    return values


class Package:
    """One package of a recipe: its name, its directory below deploy/ipk and the steps that make its files."""

    def __init__(self, recipe, name):
        own = recipe.values
        self.recipe, self.name = recipe, name
        # What debian.bbclass makes of the name of a library's package, which then provides the old one.
        self.file_name = own.get("PKG:" + name, name)
        self.arch_kind = own.get("PACKAGE_ARCH:" + name, own.get("PACKAGE_ARCH", "${TUNE_PKGARCH}"))
        self.depends = own.get("RDEPENDS:" + name, "")
        self.script = own.get("pkg_postinst:" + name, "")
        self.compression = own.get("IPK_COMPRESSION:" + name, own.get("IPK_COMPRESSION", "xz"))
        self.steps = [step.split() for step in own.get("TREE:" + name, "").split(";") if step.strip()]
        self.summary = own.get("SUMMARY:" + name, own.get("SUMMARY", name))

    def arch(self, machine):
        return {"all": "all", "${TUNE_PKGARCH}": machine.tune_pkgarch, "${MACHINE_ARCH}": machine.package_arch}[self.arch_kind]


class Recipe:
    def __init__(self, path):
        self.path = path
        stem = os.path.basename(path)[:-3]
        self.name, _, self.version = stem.partition("_")
        self.version = self.version or "1.0"
        self.values = assignments(path)
        self.revision = self.values.get("PR", "r0")
        self.image = self.values.get("IMAGE", "")
        self.packages = [] if self.image else [Package(self, name) for name in self.values.get("PACKAGES", self.name).split()]

    @property
    def full_name(self):
        return f"{self.name}-{self.version}-{self.revision}"

    @property
    def license(self):
        return self.values.get("LICENSE", "MIT")

    def signature(self, *others):
        """Changes when anything that decides the recipe's output changes."""
        digest = hashlib.sha256(open(self.path, "rb").read())
        for other in others:
            digest.update(str(other).encode() + b"\0")
        return digest.hexdigest()


def recipe_files(root):
    """All recipes of all layers, in the order of the layers' names."""
    return sorted(glob.glob(os.path.join(root, "layers/*/recipes-*/*/*.bb")))
