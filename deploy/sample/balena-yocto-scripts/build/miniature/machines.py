"""What a machine is to the build: its tune, package architectures, distribution and disk layout."""
import glob
import os

from recipes import RecipeError, assignments

# Extra package architectures of a tune, ascending; OE's tune files define them.
TUNES = {
    "cortexa53": ("aarch64", "aarch64 armv8a armv8a-crc cortexa53"),
    "cortexa72": ("aarch64", "aarch64 armv8a armv8a-crc cortexa72"),
    "cortexa7thf-neon-vfpv4": ("arm", "armv5hf-vfp armv5thf-vfp armv5ehf-vfp armv5tehf-vfp armv6hf-vfp armv6thf-vfp armv7ahf-vfp "
                               "armv7at2hf-vfp armv7vehf-vfp armv7vet2hf-vfp armv7vehf-neon armv7vet2hf-neon armv7vehf-neon-vfpv4 "
                               "armv7vet2hf-neon-vfpv4 cortexa7hf-vfp cortexa7hf-neon cortexa7hf-neon-vfpv4 cortexa7t2hf-vfp "
                               "cortexa7t2hf-neon cortexa7t2hf-neon-vfpv4"),
    "core2-64": ("x86_64", "x86_64 core2-64"),
    "corei7-64": ("x86_64", "x86_64 core2-64 corei7-64"),
    "core2-32": ("i686", "x86 i586 i686 core2-32"),
}
DISTRO_VERSIONS = {"dunfell": "3.1.33", "kirkstone": "4.0.33", "scarthgap": "5.0.13"}
BITBAKE_VERSIONS = {"dunfell": "1.46.0", "kirkstone": "2.0.0", "scarthgap": "2.8.0"}


class Machine:
    def __init__(self, root, name):
        found = sorted(glob.glob(os.path.join(root, "layers/*/conf/machine", name + ".conf")))
        if not found:
            raise RecipeError(f"MACHINE={name} is invalid. Please set a valid MACHINE in your local.conf, environment or other configuration file.")
        self.name, self.path = name, found[0]
        self.values = assignments(self.path)
        self.target_arch, extra = TUNES[self.values["DEFAULTTUNE"]]
        self.extra_archs = extra.split()
        self.tune_pkgarch = self.extra_archs[-1]
        self.package_arch = name.replace("-", "_")
        self.package_archs = ["all", "any", "noarch", *self.extra_archs, self.package_arch]
        self.codename = self.values.get("LAYERSERIES", "kirkstone")
        self.layout = self.values.get("MINIATURE_PARTITION_TABLE", "dos")
        self.sizes = {part: int(self.values.get(f"MINIATURE_{part.upper()}_MIB", default))
                      for part, default in {"boot": 8, "root": 16, "state": 8, "data": 24}.items()}
        self.distro_version = DISTRO_VERSIONS[self.codename]
        self.bitbake_version = BITBAKE_VERSIONS[self.codename]

    @property
    def signature(self):
        with open(self.path, encoding="utf-8") as file:
            return self.name + "\n" + file.read()
