"""Compares what a cloud holds with what was built, for deploy/check-publishing. Ends with status 1 and a reason on standard error.

  applications RELEASES REQUEST SLUG            there is one application for the hostapp, each block and the hostOS, each set up as such
  releases RELEASES REQUEST SLUG final|draft    each has one whole release, known by its version
  services RELEASES REQUEST SLUG REVISION       services, labels and compositions of the releases
  images RELEASES REQUEST SLUG                  prints application, service, pull reference, digest, local archive, divided by tabs
  image DIRECTORY DIGEST ARCHIVE [LAYOUT]       what `skopeo copy … dir:` left is the image of a docker-archive; of a block, byte for byte
  assets RELEASES REQUEST SLUG DIRECTORY STORE KIND...    downloaded assets are the local files; KIND: image, flasher, raw
  bucket REQUEST SLUG DIRECTORY                 what a bucket has of a device type is its deploy tree
  same RELEASES OTHER [RELEASE-ID VERSION]      nothing differs, but that this draft has become final as VERSION

RELEASES is what cloud_releases.py printed, REQUEST a request's directory in the deploy tree, LAYOUT and STORE directories with blobs/sha256.
"""

import gzip
import hashlib
import json
import pathlib
import re
import sys
import tarfile

LABELS = {
    "block": {"io.balena.image.class": "overlay", "io.balena.image.store": "data", "io.balena.update.requires-reboot": "1",
              "io.balena.image.requires-reboot": "1"},
    "hostapp": {"io.balena.image.class": "hostapp", "io.balena.image.store": "root", "io.balena.update.requires-reboot": "1"},
}
REVISION_LABEL = "io.balena.private.hostapp.board-rev"


def equal(what, found, wanted):
    if found != wanted:
        sys.exit(f"{what} is {found!r}, not {wanted!r}")


def load(path):
    return json.loads(pathlib.Path(path).read_text())


def device_type(request, slug):
    found = [row for row in load(pathlib.Path(request, "index.json"))["deviceTypes"] if row["slug"] == slug]
    equal(f"the number of entries of {slug} in index.json", len(found), 1)
    return found[0]


def sha256(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def of_file(path):
    return sha256(pathlib.Path(path).read_bytes())


def names(built):
    """The applications of a device type: name and what it holds."""
    slug = built["slug"]
    return {slug: "hostapp", **{f"{slug}-{block['name']}": block["name"] for block in built["blocks"]}, f"{slug}-hostos": "hostOS"}


def applications(releases, request, slug):
    built, cloud = device_type(request, slug), load(releases)
    wanted = names(built)
    equal("the set of applications", sorted(name for name, row in cloud.items() if row["device_type"] == slug), sorted(wanted))
    for name in wanted:
        row = cloud[name]
        equal(f"the class of {name}", row["class"], "app")
        equal(f"is_host of {name}", row["is_host"], name == slug)
        equal(f"is_public of {name}", row["is_public"], True)


def raw_version(version):
    """What the server calls a final release. A +revN that is not the next revision would be refused, so such a release has no version but its tag."""
    return version if re.fullmatch(r"\d+\.\d+\.\d+", version) else "0.0.0"


def tags(version, is_final):
    """Final releases are known by their tag; drafts by the server's version, and where it has none by a tag of our own."""
    known = {} if raw_version(version) == version else {"blockfarm.version": version}
    return {**known, "version": version} if is_final else known


def releases_of(releases, request, slug, state):
    built, cloud = device_type(request, slug), load(releases)
    version, is_final = built["version"], state == "final"
    for name in names(built):
        found = cloud[name]["releases"]
        equal(f"the number of releases of {name}", len(found), 1)
        release = found[0]
        equal(f"the status of {name}", release["status"], "success")
        equal(f"is_final of {name}", release["is_final"], is_final)
        equal(f"is_invalidated of {name}", release["is_invalidated"], False)
        # Devices that follow the application get it, or nothing.
        equal(f"the target of {name}", cloud[name]["target"], [release["commit"]] if is_final else [])
        equal(f"the tags of {name}", release["tags"], tags(version, is_final))
        pattern = re.escape(raw_version(version)) + ("" if is_final else r"-\d+")
        if not re.fullmatch(pattern, release["raw_version"]):
            sys.exit(f"raw_version of {name} is {release['raw_version']}, which does not match {pattern}")


def digests(built, cloud):
    """Manifest digests by service. The hostapp's is what its own application says: index.json has none."""
    hostapp = cloud[built["slug"]]["releases"][0]["services"]
    equal("the services of the hostapp's application", [image["service"] for image in hostapp], ["hostapp"])
    return {"hostapp": hostapp[0]["digest"], **{block["name"]: block["dockerDigest"] for block in built["blocks"]}}


def services(releases, request, slug, revision):
    built, cloud = device_type(request, slug), load(releases)
    wanted = digests(built, cloud)
    for name, held in names(built).items():
        release = cloud[name]["releases"][0]
        equal(f"the services of {name}", [image["service"] for image in release["services"]], sorted(wanted) if held == "hostOS" else [held])
        composed = release["composition"]["services"]
        equal(f"the services in the composition of {name}", sorted(composed), [image["service"] for image in release["services"]])
        for image in release["services"]:
            service, what = image["service"], f"of {image['service']} in {name}"
            labels = {**LABELS["hostapp"], REVISION_LABEL: revision} if service == "hostapp" else LABELS["block"]
            equal("the status " + what, image["status"], "success")
            equal("the digest " + what, image["digest"], wanted[service])
            equal("the labels " + what, image["labels"], labels)
            equal("the composition's entry " + what, composed[service], {"image": wanted[service], "labels": labels})


def images(releases, request, slug):
    built, cloud = device_type(request, slug), load(releases)
    for name in names(built):
        for image in cloud[name]["releases"][0]["services"]:
            service = image["service"]
            archive = "balena-image.docker" if service == "hostapp" else f"{slug}-{service}-{built['version']}.docker"
            print(name, service, f"{image['location']}@{image['digest']}", image["digest"], archive, sep="\t")


def archived(path):
    """Config and layers of the only image in a docker-archive."""
    with tarfile.open(path) as archive:
        read = lambda name: archive.extractfile(name).read()
        entry, = json.loads(read("manifest.json"))
        return read(entry["Config"]), [read(layer) for layer in entry["Layers"]]


def image(directory, digest, archive, layout=None):
    pulled = pathlib.Path(directory)
    text = (pulled / "manifest.json").read_bytes()
    equal("the manifest", sha256(text), digest)
    manifest = json.loads(text)

    def blob(part):
        data = (pulled / part["digest"].removeprefix("sha256:")).read_bytes()
        equal("a blob", (sha256(data), len(data)), (part["digest"], part["size"]))
        if layout:
            equal("the same blob of the layout", of_file(pathlib.Path(layout, "blobs/sha256", part["digest"].removeprefix("sha256:"))), part["digest"])
        return data

    config, (local_config, local_layers) = blob(manifest["config"]), archived(archive)
    if layout:
        equal("the config", config, local_config)
    ids = json.loads(config)["rootfs"]["diff_ids"]
    equal("the list of diff_ids", ids, json.loads(local_config)["rootfs"]["diff_ids"])
    equal("the layers' contents", [sha256(gzip.decompress(blob(layer))) for layer in manifest["layers"]], ids)
    equal("the archive's layers", [sha256(layer) for layer in local_layers], ids)


def files(directory):
    root = pathlib.Path(directory)
    return {str(path.relative_to(root)): path for path in root.rglob("*") if path.is_file()}


def assets(releases, request, slug, directory, store, *kinds):
    built, release = device_type(request, slug), load(releases)[slug]["releases"][0]
    found = files(directory)
    equal("the set of assets", sorted(found), sorted(release["assets"]))
    required = ["VERSION", "VERSION_HOSTOS", "device-type.json"]
    for kind in kinds:
        suffix = "" if kind == "image" else "-" + kind
        required += [f"image{suffix}.json", f"compressed{suffix}/part-0.deflate"]
    equal("the required assets that are missing", [key for key in required if key not in found], [])
    artifacts = {file["path"]: file["digest"] for file in built["artifacts"]}
    for key, path in found.items():
        digest = of_file(path)
        equal(f"the size of {key}", path.stat().st_size, release["assets"][key]["size"])
        if re.match(r"image(-\w+)?\.json$|compressed(-\w+)?/", key):
            # Made for the release alone, so it is nowhere but in the store.
            blob = pathlib.Path(store, "blobs/sha256", digest.removeprefix("sha256:"))
            equal(f"whether the coordinator's store has {key}, {digest}", blob.is_file() and of_file(blob) == digest, True)
        else:
            local = "deploy-jenkins/" + key
            equal(key, digest, of_file(pathlib.Path(request, slug, local)))
            equal(f"{key} by index.json", digest, artifacts.get(local))


def bucket(request, slug, directory):
    built, found = device_type(request, slug), files(directory)
    wanted = {file["path"].removeprefix("deploy-jenkins/"): file["digest"] for file in built["artifacts"] + built["images"]
              if not file["path"].startswith("deploy-jenkins/ipk/")}
    equal("the set of objects", sorted(found), sorted([*wanted, "SHA256SUMS"]))
    for key, digest in wanted.items():
        equal(key, of_file(found[key]), digest)
    lines = found["SHA256SUMS"].read_text().splitlines()
    equal("SHA256SUMS", sorted(lines), sorted(f"{digest.removeprefix('sha256:')}  {key}" for key, digest in wanted.items()))


def same(releases, other, finalized=None, version=None):
    before, after = load(releases), load(other)
    for name in sorted({*before, *after}):
        then, now = before.get(name), after.get(name)
        for old, new in zip(then["releases"], now["releases"]) if then and now and finalized else []:
            if new["id"] != int(finalized):
                continue
            state = {"is_final": new["is_final"], "raw_version": new["raw_version"], "tags": new["tags"]}
            equal(f"release {finalized} of {name}", state, {"is_final": True, "raw_version": raw_version(version), "tags": tags(version, True)})
            equal(f"is_final of release {finalized} before", old["is_final"], False)
            equal(f"the target of {name}", now["target"], [new["commit"]])
            old.update(state, changed=new["changed"])
            then["target"] = now["target"]
            finalized = None
        equal(f"application {name}", now, then)
    equal("the release that became final and is not there", finalized, None)


if __name__ == "__main__":
    command, *rest = sys.argv[1:]
    commands = {"applications": applications, "releases": releases_of, "services": services, "images": images, "image": image, "assets": assets,
                "bucket": bucket, "same": same}
    commands[command](*rest)
