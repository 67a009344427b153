"""The hostapp: a root file system as a docker-archive with one layer, like `docker import` and `docker save` leave it."""
import hashlib
import json

import ipk
from tararchive import TarArchive


def stable_json(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def docker_archive(layer, reference, created, labels, volumes=None):
    """The archive's bytes. The config names amd64 whatever the device is, as the real one does."""
    diff = "sha256:" + hashlib.sha256(layer).hexdigest()
    config = {"architecture": "amd64", "os": "linux", "created": created, "config": {"Labels": labels, "Cmd": None, "Env": None, "Volumes": volumes},
              "container_config": {"Cmd": None}, "docker_version": "20.10.24",
              "history": [{"created": created, "comment": "Imported from -"}], "rootfs": {"type": "layers", "diff_ids": [diff]}}
    encoded = stable_json(config)
    image = hashlib.sha256(encoded).hexdigest()
    directory = hashlib.sha256(diff.encode() + image.encode()).hexdigest()
    repository, tag = reference.rsplit(":", 1)
    archive = TarArchive()
    archive.add(directory + "/", kind="5", mode=0o755)
    archive.add(directory + "/VERSION", data=b"1.0")
    archive.add(directory + "/json", data=stable_json({"id": directory, "created": created, "os": "linux", "architecture": "amd64"}))
    archive.add(directory + "/layer.tar", data=layer)
    archive.add(image + ".json", data=encoded)
    archive.add("manifest.json", data=stable_json([{"Config": image + ".json", "RepoTags": [reference], "Layers": [directory + "/layer.tar"]}]))
    archive.add("repositories", data=stable_json({repository: {tag: directory}}))
    return archive.finish()


class RootFiles:
    """A recipe's TREE:hostapp seen as a package, so that one reader makes both."""

    def __init__(self, recipe):
        self.recipe, self.name = recipe, "hostapp"
        self.steps = [step.split() for step in recipe.values["TREE:hostapp"].split(";") if step.strip()]


def layer(recipe, context):
    return ipk.tree(RootFiles(recipe), context)
