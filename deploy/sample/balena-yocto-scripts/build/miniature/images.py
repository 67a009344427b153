"""The image recipes: what `balena-image`, `balena-image-flasher` and hostapp extensions leave in deploy/images/<machine>."""
import json
import os
import shutil
import tempfile
import time

import diskimage
import hostapp
import ipk
import payload
from diskimage import Partition
from tararchive import TarArchive

SUPERVISOR = "17.0.4"


class ImageBuild:
    def __init__(self, root, build, machine, document, context, faults):
        self.root, self.build, self.machine, self.document = root, build, machine, document
        self.context, self.faults, self.epoch = context, faults, context["EPOCH"]
        self.deploy = os.path.join(build, "tmp/deploy/images", machine.name)
        self.stamp = time.strftime("%Y%m%d%H%M%S", time.gmtime())

    def make(self, recipe):
        os.makedirs(self.deploy, exist_ok=True)
        if recipe.values["IMAGE"] == "flasher":
            return self.flasher(recipe)
        if recipe.values["IMAGE"] == "extension":
            return self.extension(recipe)
        layer = hostapp.layer(recipe, self.context)
        labels = {"io.balena.image.class": "service"}
        created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.epoch))
        if "1" not in self.faults.all("no-hostapp"):
            archive = hostapp.docker_archive(layer, f"{recipe.name}-{self.machine.name}:latest", created, labels)
            self.publish(recipe, "docker", archive)
        self.publish(recipe, "manifest", self.package_list(recipe))
        self.publish_common()
        if "1" not in self.faults.all("no-image"):
            self.disk(recipe, self.plain_partitions(), "plain")
        return None

    def extension(self, recipe):
        """A container image and its package list, nothing to flash. Its labels are the recipe's, as `docker import --change` sets them."""
        labels = dict(pair.split("=", 1) for pair in recipe.values.get("IMAGE_LABELS", "").replace("{VERSION}", self.context["VERSION"]).split())
        created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.epoch))
        volumes = {volume: {} for volume in recipe.values.get("IMAGE_VOLUMES", "").split()}
        archive = hostapp.docker_archive(hostapp.layer(recipe, self.context), f"{recipe.name}-{self.machine.name}:latest", created, labels, volumes or None)
        self.publish(recipe, "docker", archive)
        self.publish(recipe, "manifest", self.package_list(recipe))

    def flasher(self, recipe):
        inner = os.path.join(self.deploy, f"balena-image-{self.machine.name}.balenaos-img")
        self.publish(recipe, "manifest", self.package_list(recipe))
        if "1" in self.faults.all("no-image"):
            return
        size = os.stat(inner).st_size // diskimage.MIB
        root = {f"opt/balena-image-{self.machine.name}.balenaos-img": {"copy": os.path.realpath(inner)}, "etc/os-release": self.os_release(), "resin-boot": None}
        parts = [self.boot("flash-boot"), Partition("flash-rootA", size + 24, root), Partition("flash-rootB", 8),
                 Partition("flash-state", 8, {"root-overlay": None}), Partition("flash-data", 12, self.data_files(), modes={"docker": 0o711})]
        self.disk(recipe, parts, "flasher")

    def plain_partitions(self):
        sizes = self.machine.sizes
        root = {"etc/os-release": self.os_release(), "etc/hostname": self.machine.name.encode() + b"\n", "mnt/data": None,
                "hostapps": None, "boot/kernel": payload.half(self.machine.target_arch + " kernel", 3 << 20)}
        parts = [self.boot("resin-boot"), Partition("resin-rootA", sizes["root"], root), Partition("resin-rootB", sizes["root"]),
                 Partition("resin-state", sizes["state"], {"root-overlay": None, "remove_me_to_reset": b""}),
                 Partition("resin-data", sizes["data"], self.data_files(), modes={"docker": 0o711})]
        return parts[:-1] if "1" in self.faults.all("no-data-partition") else parts

    def boot(self, label):
        text = json.dumps(self.document, indent="\t", ensure_ascii=False).encode() + b"\n"
        files = {"device-type.json": text, "config.json": b"{}\n", "image-version-info": self.context["VERSION"].encode() + b"\n",
                 "os-release": self.os_release()}
        return Partition(label, self.machine.sizes["boot"], files, fat=True)

    @staticmethod
    def data_files():
        apps = json.dumps({"apps": {}, "config": {}, "pinDevice": False}, indent=4, sort_keys=True).encode() + b"\n"
        return {"docker": None, "resin-data": None, "remove_me_to_reset": b"", "apps.json": apps}

    def os_release(self):
        return 'ID="balena-os"\nNAME="balenaOS"\nVERSION="{VERSION}"\nSLUG="{SLUG}"\nMACHINE="{MACHINE}"\n'.format_map(self.context).encode()

    def package_list(self, recipe):
        kernel = f"kernel-acme {self.machine.package_arch} 6.1.77-r0\n"
        return f"base-files all 3.0.14-r89\n{kernel}os-release all 1.0-r0\n{recipe.name} {self.machine.package_arch} 1.0-r0\n".encode()

    def publish(self, recipe, suffix, data):
        name = f"{recipe.name}-{self.machine.name}"
        stamped = f"{name}-{self.stamp}.rootfs.{suffix}"
        with open(os.path.join(self.deploy, stamped), "wb") as file:
            file.write(data)
        self.link(f"{name}.{suffix}", stamped)

    def link(self, name, target):
        path = os.path.join(self.deploy, name)
        if os.path.lexists(path):
            os.unlink(path)
        os.symlink(target, path)

    def publish_common(self):
        versions = {"VERSION": self.context["SUPERVISOR"], "VERSION_HOSTOS": self.context["VERSION"]}
        for name, text in versions.items():
            with open(os.path.join(self.deploy, name), "w", encoding="utf-8") as file:
                file.write(text + "\n")
        for name, files in (("kernel_modules_headers", ("Makefile", "include/linux/version.h", "scripts/genksyms")),
                            ("kernel_source", ("Makefile", "arch/Kconfig", "kernel/sched/core.c"))):
            archive = TarArchive(mtime=self.epoch)
            for path in files:
                archive.add(f"{name}/{path}", data=payload.text(f"{self.machine.name} {name} {path}", 20 << 10))
            stamped = f"{name}-{self.machine.name}-{self.stamp}.tar.gz"
            with open(os.path.join(self.deploy, stamped), "wb") as file:
                file.write(ipk.compress("gz", archive.finish()))
            self.link(name + ".tar.gz", stamped)

    def disk(self, recipe, partitions, kind):
        name = f"{recipe.name}-{self.machine.name}"
        stamped = f"{name}-{self.stamp}.rootfs.balenaos-img"
        scratch = tempfile.mkdtemp(prefix="image-", dir=os.path.join(self.build, "tmp"))
        try:
            seed = f"{self.machine.name} {kind} {self.context['VERSION']}"
            layout = "gpt" if kind == "flasher" else self.machine.layout
            diskimage.make_disk(os.path.join(self.deploy, stamped), layout, partitions, seed, os.path.join(scratch, "disk"), self.epoch)
        finally:
            shutil.rmtree(scratch)
        self.link(f"{name}.balenaos-img", stamped)
