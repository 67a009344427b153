"""Checks one disk image: partition table, labels, file systems. usage: disk.py IMAGE dos|gpt LABEL..."""
import json
import subprocess
import sys

image, layout, *labels = sys.argv[1:]
failures = 0


def check(what, holds):
    global failures
    failures += not holds
    print(("ok   " if holds else "FAIL ") + what)


def run(*arguments):
    return subprocess.run(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)


check("sfdisk finds no fault", b"No errors detected" in run("sfdisk", "-V", image).stdout)
table = json.loads(subprocess.run(["sfdisk", "-J", image], stdout=subprocess.PIPE, check=True).stdout)["partitiontable"]
check(f"the table is {layout}", table["label"] == layout)
if layout == "gpt":
    check("sgdisk finds no problem", b"No problems found" in run("sgdisk", "-v", image).stdout)
    check("partitions are named", [part["name"] for part in table["partitions"]] == labels)
    parts = table["partitions"]
else:
    kinds = [part["type"] for part in table["partitions"]]
    check("the fourth partition is extended, of type f", kinds == ["c", "83", "83", "f", "83", "83"][:len(kinds)])
    parts = [part for part in table["partitions"] if part["type"] != "f"]
check("partitions begin at 4 MiB steps", all(part["start"] % 8192 == 0 for part in parts))
for part, label in zip(parts, labels):
    offset = part["start"] * 512
    with open(image, "rb") as file:
        file.seek(offset)
        head = file.read(2048)
    if label.endswith("boot"):
        check(f"{label}: FAT with its label", head[510:512] == b"\x55\xaa" and label.encode() in head[:100])
        listing = run("mdir", "-b", "-i", f"{image}@@{offset}", "::").stdout
        check(f"{label}: holds device-type.json", b"device-type.json" in listing)
        continue
    check(f"{label}: ext4 with its label", head[1080:1082] == b"\x53\xef" and head[1144:1160].rstrip(b"\0") == label.encode())
    fsck = run("e2fsck", "-fn", f"{image}?offset={offset}")
    check(f"{label}: e2fsck is content", fsck.returncode == 0)
    if label == "resin-data":
        features = next(line for line in run("dumpe2fs", "-h", f"{image}?offset={offset}").stdout.decode().split("\n") if line.startswith("Filesystem features"))
        wanted = ("has_journal ext_attr resize_inode dir_index filetype extent 64bit flex_bg sparse_super large_file huge_file dir_nlink extra_isize metadata_csum")
        check(f"{label}: the features of the real one", set(features.split(":")[1].split()) == set(wanted.split()))
        names = run("debugfs", "-R", "ls -p /", f"{image}?offset={offset}").stdout.decode()
        check(f"{label}: docker, resin-data, remove_me_to_reset, apps.json", all(f"/{name}/" in names for name in ("docker", "resin-data", "remove_me_to_reset", "apps.json")))
        check(f"{label}: all is root's", all(line.split("/")[3:5] == ["0", "0"] for line in names.split("\n") if line.startswith("/") and line.split("/")[5]))
check("every label has its partition", len(parts) == len(labels))
sys.exit(1 if failures else 0)
