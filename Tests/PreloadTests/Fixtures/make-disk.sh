#!/bin/bash
# make-disk.sh FILE mbr|gpt|primary DATA_MEBIBYTES DATA_LABEL [PREFIX]: a disk image partitioned as balenaOS is.
# PREFIX is resin (default) or flash. Where the directory FILE.root is there, it fills rootA; FILE.data fills the data partition.
set -euo pipefail
file=$1 layout=$2 data=$3 label=$4 prefix=${5:-resin}
export PATH=$PATH:/usr/sbin:/sbin
root=16
if [ -d "$file.root" ]; then root=$(($(du -sm --apparent-size "$file.root" | cut -f1) + 24)); fi
sizes=(8 "$root" 16 8 "$data")
labels=("$prefix-boot" "$prefix-rootA" "$prefix-rootB" "$prefix-state" "$label")
table='unit: sectors' at=4
starts=()
case $layout in
  gpt) table+=$'\nlabel: gpt' ;;
  *) table+=$'\nlabel: dos' ;;
esac
for index in 0 1 2 3 4; do
  size=${sizes[$index]}
  if [ "$layout" = primary ] && [ "$index" -gt 1 ] && [ "$index" -lt 4 ]; then starts+=(0); continue; fi
  if [ "$layout" = mbr ] && [ "$index" -ge 3 ]; then
    if [ "$index" = 3 ]; then table+=$'\n'"start=$((at * 2048)), size=$(((8 + sizes[3] + sizes[4]) * 2048)), type=f"; fi
    at=$((at + 4))
  fi
  starts+=("$at")
  table+=$'\n'"start=$((at * 2048)), size=$((size * 2048))"
  if [ "$layout" = gpt ]; then table+=", name=\"${labels[$index]}\""; elif [ "$index" = 0 ]; then table+=', type=c'; else table+=', type=83'; fi
  at=$((at + size))
done
if [ "$layout" = gpt ]; then at=$((at + 4)); fi
truncate -s "${at}M" "$file"
sfdisk -q --no-reread --no-tell-kernel "$file" <<<"$table"
for index in 0 1 2 3 4; do
  [ "${starts[$index]}" != 0 ] || continue
  part=$file.part
  rm -f "$part"
  truncate -s "${sizes[$index]}M" "$part"
  if [ "$index" = 0 ]; then
    mkfs.vfat -n "${labels[0]}" "$part" >/dev/null
  else
    tree=()
    if [ "$index" = 1 ] && [ -d "$file.root" ]; then tree=(-d "$file.root"); fi
    if [ "$index" = 4 ] && [ -d "$file.data" ]; then tree=(-d "$file.data"); fi
    mke2fs -q -F -t ext4 -T default -b 4096 -i 8192 -I 256 -L "${labels[$index]}" "${tree[@]}" "$part"
  fi
  dd if="$part" of="$file" bs=1M seek="${starts[$index]}" conv=notrunc,sparse status=none
  rm -f "$part"
done
