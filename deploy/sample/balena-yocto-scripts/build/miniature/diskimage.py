"""Disk images: file systems by mke2fs and mkfs.vfat from trees, put behind a partition table by sfdisk. Nothing needs root.

The same inputs give the same bytes: every identifier comes from a name, every time from one epoch, every owner is root.
"""
import hashlib
import os
import subprocess
import uuid

MIB = 1 << 20
GAP = 4  # MiB before the first partition and before each logical one

# The features that balenaOS images have, whatever the defaults of the e2fsprogs at hand are.
MKE2FS_CONF = """
[defaults]
  base_features = sparse_super,large_file,filetype,resize_inode,dir_index,ext_attr
  default_mntopts = acl,user_xattr
  enable_periodic_fsck = 0
  blocksize = 4096
  inode_size = 256
  inode_ratio = 8192
[fs_types]
  ext4 = {
    features = has_journal,extent,huge_file,flex_bg,metadata_csum,64bit,dir_nlink,extra_isize
  }
  default = {
  }
"""


class ImageError(Exception):
    pass


def run(arguments, epoch, input=None, **variables):
    paths = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    environment = {"PATH": paths, "LC_ALL": "C", "TZ": "UTC", "SOURCE_DATE_EPOCH": str(epoch), "E2FSPROGS_FAKE_TIME": str(epoch),
                   "MTOOLS_SKIP_CHECK": "1", **variables}
    done = subprocess.run(arguments, input=input, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        raise ImageError(f"{' '.join(arguments)} ended with {done.returncode}: {done.stdout.decode(errors='replace').strip()}")


def stable_uuid(*names):
    return str(uuid.uuid5(uuid.UUID("5f9c1d5e-3a0f-4c55-9a2b-0e6f0f0c6a11"), "/".join(names)))


class Partition:
    """A file system to be: label, size, and its tree as {path: bytes | dict(copy=file) | None for a directory}."""

    def __init__(self, label, mib, files=None, fat=False, modes=None):
        self.label, self.mib, self.files, self.fat, self.modes = label, mib, files or {}, fat, modes or {}


def lay_out_tree(files, modes, directory, epoch):
    """Writes the tree and gives its paths, parents first."""
    paths = []
    for path in sorted(files):
        for depth in range(1, path.count("/") + 1):
            parent = "/".join(path.split("/")[:depth])
            if parent not in paths:
                paths.append(parent)
                os.makedirs(os.path.join(directory, parent), exist_ok=True)
        target, content = os.path.join(directory, path), files[path]
        if path not in paths:
            paths.append(path)
        if content is None:
            os.makedirs(target, exist_ok=True)
        elif isinstance(content, dict):
            os.link(content["copy"], target)
        else:
            with open(target, "wb") as file:
                file.write(content)
    for path in reversed(paths):
        target = os.path.join(directory, path)
        # A copied file is a hard link to what lies in the deploy directory: not to be touched.
        if not isinstance(files.get(path), dict):
            os.chmod(target, modes.get(path, 0o755 if os.path.isdir(target) else 0o644))
            os.utime(target, (epoch, epoch))
    return paths


def make_filesystem(partition, path, seed, scratch, epoch):
    with open(path, "wb") as file:
        file.truncate(partition.mib * MIB)
    tree = os.path.join(scratch, "tree-" + partition.label)
    os.makedirs(tree)
    paths = lay_out_tree(partition.files, partition.modes, tree, epoch)
    os.chmod(tree, 0o755)
    os.utime(tree, (epoch, epoch))
    if partition.fat:
        volume = hashlib.sha256(f"{seed}{partition.label}".encode()).hexdigest()[:8]
        run(["mkfs.vfat", "--invariant", "-i", volume, "-n", partition.label, path], epoch)
        top = sorted(os.path.join(tree, name) for name in os.listdir(tree))
        run(["mcopy", "-s", "-m", "-i", path, *top, "::"], epoch)
        return
    identifier = stable_uuid(seed, partition.label)
    configuration = os.path.join(scratch, "mke2fs.conf")
    with open(configuration, "w", encoding="utf-8") as file:
        file.write(MKE2FS_CONF)
    run(["mke2fs", "-q", "-F", "-t", "ext4", "-T", "default", "-b", "4k", "-i", "8192", "-L", partition.label, "-U", identifier,
         "-E", f"hash_seed={identifier},root_owner=0:0,lazy_itable_init=0,nodiscard", "-d", tree, path], epoch, MKE2FS_CONFIG=configuration)
    # mke2fs takes owner and change time from the tree; real trees are made under pseudo, where all is root's.
    script = []
    for name in ["/", "/lost+found", *("/" + name for name in paths)]:
        for field, value in (("uid", 0), ("gid", 0), *((f"{kind}time", f"@{epoch}") for kind in "acm"), ("crtime", f"@{epoch}"),
                             ("ctime_extra", 0), ("atime_extra", 0), ("mtime_extra", 0), ("crtime_extra", 0)):
            script.append(f'set_inode_field "{name}" {field} {value}\n')
        if isinstance(partition.files.get(name[1:]), dict):
            script.append(f'set_inode_field "{name}" mode 0100644\n')
    run(["debugfs", "-w", "-f", "-", path], epoch, input="".join(script).encode())


def copy_sparse(source, target, offset):
    with open(source, "rb") as file:
        position, end = 0, os.fstat(file.fileno()).st_size
        while position < end:
            try:
                start = os.lseek(file.fileno(), position, os.SEEK_DATA)
            except OSError:
                return
            position = os.lseek(file.fileno(), start, os.SEEK_HOLE)
            file.seek(start)
            while start < position:
                block = file.read(min(64 << 10, position - start))
                if block.count(0) != len(block):
                    os.pwrite(target.fileno(), block, offset + start)
                start += len(block)


def table(layout, partitions, seed):
    """The sfdisk script, each partition's start in MiB, and the disk's size in MiB."""
    lines = ["unit: sectors"]
    starts, at = [], GAP
    if layout == "gpt":
        lines = ["label: gpt", f"label-id: {stable_uuid(seed, 'disk').upper()}", *lines]
        for part in partitions:
            kind = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B" if part.fat else "0FC63DAF-8483-4772-8E79-3D69D8477DE4"
            lines.append(f'start={at * 2048}, size={part.mib * 2048}, type={kind}, name="{part.label}", uuid={stable_uuid(seed, part.label, "gpt").upper()}')
            starts.append(at)
            at += part.mib
        return "\n".join(lines) + "\n", starts, at + GAP
    lines = ["label: dos", f"label-id: 0x{hashlib.sha256(seed.encode()).hexdigest()[:8]}", *lines]
    for index, part in enumerate(partitions):
        if index == 3:
            extended = sum(GAP + logical.mib for logical in partitions[3:])
            lines.append(f"start={at * 2048}, size={extended * 2048}, type=f")
        if index >= 3:
            at += GAP
        lines.append(f"start={at * 2048}, size={part.mib * 2048}, type={'c, bootable' if part.fat else '83'}")
        starts.append(at)
        at += part.mib
    return "\n".join(lines) + "\n", starts, at


def make_disk(path, layout, partitions, seed, scratch, epoch):
    os.makedirs(scratch)
    script, starts, size = table(layout, partitions, seed)
    with open(path, "wb") as disk:
        disk.truncate(size * MIB)
    run(["sfdisk", "-q", "--no-reread", "--no-tell-kernel", path], epoch, input=script.encode())
    with open(path, "r+b") as disk:
        for partition, start in zip(partitions, starts):
            single = os.path.join(scratch, partition.label)
            make_filesystem(partition, single, seed, scratch, epoch)
            copy_sparse(single, disk, start * MIB)
            os.unlink(single)
