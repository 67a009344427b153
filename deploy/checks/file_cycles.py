"""Finds files of a room that need each other, from the index of a debug build.

  file_cycles.py ROOT INDEX_STORE LIBRARY [ALLOWED]     LIBRARY is the toolchain's libIndexStore

A file needs another one when it names something that is declared there. `Type.swift` and its extensions `Type+….swift` count as one, since a type and
its extensions are one thing. A cycle means that neither file can be understood or moved without the other. Prints each group of files that need each
other, with one line a pair that says what is named; status 1 if there was any. ALLOWED has a line for each need that does not count: room, the file
that has it, the file that it needs, and the reason. One that is in no cycle is an error, too.
"""

import os
import sys
from collections import defaultdict

import index_store as index
from dead_code import records


def node(file):
    """The type that a file is about: what stands before the first `+`."""
    folder, name = os.path.split(file)
    parts = folder.split(os.sep)  # Sources/<program>/<room>/…
    return "/".join(parts[:3]), name.removesuffix(".swift").split("+")[0]


def needs(root, store):
    declared = {}
    named = []
    for file, occurrences in records(root, store):
        if not file.startswith("Sources/"):
            continue
        for occurrence in occurrences:
            if occurrence.roles & index.DEFINITION:
                declared[occurrence.usr] = node(file)
            elif occurrence.roles & index.REFERENCE and not occurrence.roles & index.IMPLICIT:
                named.append((node(file), occurrence))
    edges = defaultdict(dict)
    for user, occurrence in named:
        owner = declared.get(occurrence.usr)
        if owner and owner != user and owner[0] == user[0]:
            edges[user].setdefault(owner, occurrence.name)
    return edges


def groups(edges):
    """Strongly connected components of more than one node (Tarjan's algorithm, without recursion)."""
    numbers, low, stack, found = {}, {}, [], []
    for root in sorted(edges):
        if root in numbers:
            continue
        work = [(root, iter(sorted(edges[root])))]
        numbers[root] = low[root] = len(numbers)
        stack.append(root)
        while work:
            here, rest = work[-1]
            for other in rest:
                if other not in numbers:
                    numbers[other] = low[other] = len(numbers)
                    stack.append(other)
                    work.append((other, iter(sorted(edges.get(other, {})))))
                    break
                if other in stack:
                    low[here] = min(low[here], numbers[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[here])
                if low[here] == numbers[here]:
                    group = stack[stack.index(here):]
                    del stack[stack.index(here):]
                    if len(group) > 1:
                        found.append(sorted(group))
    return found


def allowances(path):
    """Pairs of a file and one that it may need."""
    with open(path) as lines:
        rows = [line.split(maxsplit=3) for line in lines if line.strip() and not line.startswith("#")]
    for row in rows:
        if len(row) < 4:
            sys.exit(f"{path}: '{' '.join(row)}' must have a room, two files and a reason")
    return [((room, user), (room, owner)) for room, user, owner, _ in rows]


def main(root, store, library, allowed=None):
    edges = needs(root, index.IndexStore(library, store))
    every = groups(edges)
    unused = []
    for user, owner in allowances(allowed) if allowed else []:
        if owner not in edges.get(user, {}) or not any(user in group and owner in group for group in every):
            unused.append(f"{allowed}: {user[0]}: {user[1]} is in no cycle with {owner[1]}: take the line out")
        edges.get(user, {}).pop(owner, None)
    cycles = groups(edges)
    for group in cycles:
        print(f"{group[0][0]}: {', '.join(name for _, name in group)} need each other:")
        for user in group:
            for owner in sorted(edges[user]):
                if owner in group:
                    print(f"  {user[1]} names {edges[user][owner]} of {owner[1]}")
    for line in unused:
        print(line)
    return 1 if cycles or unused else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
