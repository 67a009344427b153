"""Reads a deploy tree for deploy/check-images. Every subcommand prints lines of fields divided by tabs.

  images REQUEST          slug, file, digest   of the images that must hold the device type's blocks
  blocks REQUEST          slug, block, reference, digest, dockerDigest, arch, os, variant ('-' for none), config digest, created, OCI name, archive
  twice REQUEST           slug, path of files that index.json lists more than once
  contracts REQUEST REPOSITORIES   slug, block, reason of blocks whose packages are not those of a contract, in its order
  packages REQUEST SLUG BLOCK    ipk file, in the order of index.json; each is looked up in its Packages file and checked by digest
"""

import datetime
import hashlib
import json
import pathlib
import sys


def refuse(text):
    sys.exit(f"deploy_tree: {text}")


def index(request):
    return json.loads((request / "index.json").read_text())


def delivered(request):
    """The device types that have blocks in their images."""
    return [d for d in index(request)["deviceTypes"] if d["outcome"] in ("built", "reused") and d.get("blocks")]


def images(request):
    for device_type in delivered(request):
        slug, listed = device_type["slug"], device_type["images"]
        # Of a flasher the raw image has the blocks; the flasher itself is delivered as it was built.
        raw = [image for image in listed if "flasher" not in image["path"].rsplit("/", 1)[-1]]
        if not raw:
            refuse(f"{slug} has blocks but no image to hold them among {[image['path'] for image in listed]}")
        for image in raw:
            yield slug, str(request / slug / image["path"]), image["digest"]


def twice(request):
    for device_type in index(request)["deviceTypes"]:
        paths = [file["path"] for file in device_type["images"] + device_type["artifacts"]]
        for path in sorted({p for p in paths if paths.count(p) > 1}):
            yield device_type["slug"], path


def blocks(request):
    for device_type in delivered(request):
        slug, tag = device_type["slug"], device_type["version"].replace("+", "_")
        for block in device_type["blocks"]:
            name, platform = block["name"], block["platform"]
            manifest = json.loads((request / "oci/blobs/sha256" / block["digest"].removeprefix("sha256:")).read_bytes())
            config = manifest["config"]["digest"]
            created = json.loads((request / "oci/blobs/sha256" / config.removeprefix("sha256:")).read_bytes())["created"]
            epoch = int(datetime.datetime.fromisoformat(created.replace("Z", "+00:00")).timestamp())
            yield (slug, name, f"local/{slug}-{name}:{tag}", block["digest"], block["dockerDigest"], platform["architecture"],
                   platform["os"], platform.get("variant") or "-", config, str(epoch), f"{slug}-{name}-{tag}",
                   str(request / slug / f"deploy-jenkins/{slug}-{name}-{device_type['version']}.docker"))


def stanzas(packages_file):
    fields = {}
    for line in [*packages_file.read_text().splitlines(), ""]:
        if not line.strip():
            if fields:
                yield fields
            fields = {}
        elif not line[0].isspace():
            key, _, value = line.partition(":")
            fields[key] = value.strip()


def stanza(request, slug, package):
    """The one entry of a block's package in the Packages file of the feed that was delivered, and the folder of that file."""
    directory = request / slug / "deploy-jenkins/ipk" / package["architecture"]
    wanted = package["name"], package["version"]
    found = [s for s in stanzas(directory / "Packages") if (s["Package"], s["Version"]) == wanted]
    if len(found) != 1:
        refuse(f"{directory}/Packages has {len(found)} entries of {wanted}")
    return directory, found[0]


def packages(request, slug, block):
    found = [b for d in delivered(request) if d["slug"] == slug for b in d["blocks"] if b["name"] == block]
    if not found:
        refuse(f"no block {block} of {slug} in index.json")
    for package in found[0]["packages"]:
        directory, entry = stanza(request, slug, package)
        file = directory / entry["Filename"]
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        if package["digest"] != f"sha256:{digest}":
            refuse(f"{file} is sha256:{digest}, index.json says {package['digest']}")
        yield (str(file),)


def names(request, slug, package):
    """The names by which a contract may list a package: its own, and those that it provides (a renamed library has its old one there)."""
    _, entry = stanza(request, slug, package)
    return {package["name"]} | {word.split()[0] for word in entry.get("Provides", "").split(",") if word.strip()}


def contracts(request, repositories):
    listed = {}
    for file in sorted(pathlib.Path(repositories).glob("*/contracts/**/contract.json")):
        contract = json.loads(file.read_text())
        if not contract.get("type", "").startswith("sw.image"):
            continue
        wanted = [part["slug"] for part in contract.get("composedOf", []) if part["type"] == "sw.package.yocto.ipk"]
        listed.setdefault(contract["slug"], []).append(wanted)
    for device_type in delivered(request):
        slug = device_type["slug"]
        for block in device_type["blocks"]:
            given = [names(request, slug, package) for package in block["packages"]]
            if not any(len(given) == len(wanted) and all(w in g for w, g in zip(wanted, given))
                       for wanted in listed.get(block["name"], [])):
                yield slug, block["name"], f"{given} is none of {listed.get(block['name'], [])}"


if __name__ == "__main__":
    command, root, *rest = sys.argv[1:]
    commands = {"images": images, "blocks": blocks, "twice": twice, "contracts": contracts, "packages": packages}
    for row in commands[command](pathlib.Path(root), *rest):
        print(*row, sep="\t")
