"""Judges what a container engine says about a block, for deploy/check-images. Ends with status 1 and a reason on standard error.

  inspected CONFIG REFERENCE DOCKER_DIGEST ARCHITECTURE OS VARIANT  <  docker inspect REFERENCE
  saved CONFIG REFERENCE                                            <  docker save REFERENCE

CONFIG is the block's config blob in the OCI layout; the image's id must be its digest.
"""

import hashlib
import json
import sys
import tarfile

LABELS = ("io.balena.image.class", "io.balena.image.store", "io.balena.update.requires-reboot")


def equal(what, given, wanted):
    if given != wanted:
        sys.exit(f"{what} is {given!r}, not {wanted!r}")


def inspected(config, reference, docker_digest, architecture, system, variant):
    text = sys.stdin.read()
    answer = json.loads(text) if text.strip() else []
    if len(answer) != 1:
        sys.exit(f"inspect gives {len(answer)} images")
    image = answer[0]
    wanted = json.loads(config)
    equal("id", image["Id"], "sha256:" + hashlib.sha256(config).hexdigest())
    if reference not in image["RepoTags"]:
        sys.exit(f"RepoTags {image['RepoTags']} lack {reference}")
    name = reference.rpartition(":")[0]
    equal("RepoDigests of the name", [d for d in image["RepoDigests"] if d.startswith(name + "@")], [f"{name}@{docker_digest}"])
    equal("architecture", image["Architecture"], architecture)
    equal("os", image["Os"], system)
    equal("variant", image.get("Variant") or "-", variant)
    labels = image["Config"]["Labels"] or {}
    equal("labels", labels, wanted["config"]["Labels"])
    for label in LABELS:
        if not labels.get(label):
            sys.exit(f"label {label} is missing")
    equal("layers", image["RootFS"]["Layers"], wanted["rootfs"]["diff_ids"])


def saved(config, reference):
    digests, manifest = {}, None
    try:
        with tarfile.open(fileobj=sys.stdin.buffer, mode="r|") as archive:
            for member in archive:
                if member.isfile():
                    data = archive.extractfile(member).read()
                    digests[member.name] = "sha256:" + hashlib.sha256(data).hexdigest()
                    if member.name == "manifest.json":
                        (manifest,) = json.loads(data)
    except tarfile.TarError as error:
        sys.exit(f"no archive: {error}")
    if manifest is None:
        sys.exit(f"no manifest.json among {sorted(digests)}")
    equal("RepoTags", manifest["RepoTags"], [reference])
    equal("config", digests[manifest["Config"]], "sha256:" + hashlib.sha256(config).hexdigest())
    equal("layers", [digests[layer] for layer in manifest["Layers"]], json.loads(config)["rootfs"]["diff_ids"])


if __name__ == "__main__":
    command, path, *rest = sys.argv[1:]
    with open(path, "rb") as file:
        blob = file.read()
    {"inspected": inspected, "saved": saved}[command](blob, *rest)
