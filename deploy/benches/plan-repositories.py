#!/usr/bin/env python3
"""Writes a git repository for each public device repository, with its manifests, and a farm.yaml that lists them all.

usage: plan-repositories.py FIXTURES DIRECTORY [DRIVER]     DRIVER: the text of each repository's `driver`

With a driver all device types can be built: discontinued ones are written as released.
"""
import json
import os
import shutil
import subprocess
import sys


def manifest(row):
    """The row as a CoffeeScript manifest."""
    lines = ["module.exports =", "\tversion: 1", f"\tslug: '{row['slug']}'"]
    if row["aliases"]:
        lines.append("\taliases: [ " + ", ".join(f"'{alias}'" for alias in row["aliases"]) + " ]")
    lines += [f"\tname: '{row['name']}'", f"\tarch: '{row['arch']}'"]
    if row["state"]:
        lines.append(f"\tstate: '{row['state'].lower()}'")
    lines += ["\tyocto:", f"\t\tmachine: '{row['machine']}'", f"\t\tversion: 'yocto-{row['yocto']}'"]
    for key in ("image", "fstype", "deployArtifact", "deployFlasherArtifact", "deployRawArtifact"):
        if row[key]:
            lines.append(f"\t\t{key}: '{row[key]}'")
    if row["compressed"]:
        lines.append("\t\tcompressed: true")
    return "\n".join(lines) + "\n"


def main(fixtures, directory, driver=None):
    with open(f"{fixtures}/matrix/device-types.json") as file:
        rows = json.load(file)["deviceTypes"]
    repositories = {}
    for row in rows:
        repositories.setdefault(row["repo"].split("/")[1], []).append(row)
    environment = {"PATH": os.environ["PATH"], "HOME": directory, "GIT_CONFIG_NOSYSTEM": "1"}
    for name, members in repositories.items():
        path = f"{directory}/{name}"
        os.makedirs(path)
        for row in members:
            stem = row["manifest"].rsplit(".", 1)[0]
            generated = f"{fixtures}/device-types/{name}/{stem}.json"
            discontinued = driver and row["state"] == "DISCONTINUED"
            if discontinued:
                row = {**row, "state": "RELEASED"}
            if os.path.exists(generated) and not discontinued:
                shutil.copy(generated, f"{path}/{stem}.json")
            else:
                with open(f"{path}/{stem}.coffee", "w") as file:
                    file.write(manifest(row))
        shutil.copytree(f"{fixtures}/contracts/balenaos-contracts/contracts", f"{path}/contracts/contracts")
        block = f"{path}/contracts/contracts/sw.image/bench"
        os.makedirs(block)
        with open(f"{block}/contract.json", "w") as file:
            parts = [{"type": "sw.recipe.yocto", "slug": "bench"}, {"type": "sw.package.yocto.ipk", "slug": "bench"}]
            json.dump({"slug": "bench", "type": "sw.image.overlay", "composedOf": parts}, file)
        identity = ["-c", "user.name=bench", "-c", "user.email=bench@localhost"]
        for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "Bench"], ["tag", "v" + (members[0]["repoVersion"] or "1.0.0")]):
            subprocess.run(["git", *identity, *words], cwd=path, env=environment, check=True)
    with open(f"{directory}/farm.yaml", "w") as file:
        file.write("state: state\noutput: out\nrepositories:\n")
        for name in sorted(repositories):
            file.write(f"  - name: {name}\n    source: {directory}/{name}\n")
            if driver:
                file.write(f"    driver: {driver}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
