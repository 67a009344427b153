"""Names the declarations of a Swift package that nothing reaches, from the index of its debug build.

  dead_code.py ROOT INDEX_STORE LIBRARY [ALLOWED]     LIBRARY is the toolchain's libIndexStore

A declaration of Sources is alive if something alive names it, beginning with the entry points. What only the code in Tests reaches is dead, too.
Alive with their type: what a protocol of somebody else asks for (`description`, `encode(to:)`), and what is read or made without being named: stored
properties of Codable and parsed types, cases of enums with raw values, coding keys. References that the index gives no owner count always. So a dead
declaration can be missed, and one that is named is dead indeed.

ALLOWED has lines "FILE TYPE.NAME reason"; one that allows nothing is a fault. Prints "FILE:LINE: TYPE.NAME" and why; status 1 if there was any.
"""

import os
import sys
from collections import defaultdict
from typing import NamedTuple

import index_store as index

TYPES = {index.ENUM, index.STRUCT, index.CLASS, index.PROTOCOL}
KINDS = TYPES | index.OTHERS | {index.TYPE_ALIAS, index.CASE, index.PROPERTY, index.INITIALIZER}
# Protocols whose conforming types have members that are used without being named.
READ_BY_CODE = {"Encodable", "Decodable", "Codable", "ParsableArguments", "ParsableCommand", "AsyncParsableCommand"}
MADE_BY_VALUE = {"CodingKey", "CaseIterable"}


class Declaration(NamedTuple):
    file: str
    line: int
    name: str
    kind: int


class Package:
    def __init__(self, root, store):
        self.declarations = {}  # by USR, as all that follows
        self.parents = {}
        self.accessors = {}
        self.extensions = {}
        self.stored = set()
        self.bases = defaultdict(set)  # what a type conforms to or inherits: (USR, name, kind)
        self.witnesses = defaultdict(set)  # of a requirement
        self.foreign_requirements = set()  # names of those that are met somewhere
        self.named_by = defaultdict(set)
        self.named_by_tests = set()
        self.entry_points = set()
        for file, occurrences in records(root, store):
            for occurrence in occurrences:
                if occurrence.roles & index.DEFINITION:
                    self.define(file, occurrence)
                elif occurrence.roles & index.REFERENCE:
                    self.refer(file, occurrence)
        self.match_requirements()

    def define(self, file, occurrence):
        accessor = False
        for relation in occurrence.relations:
            if relation.roles & index.ACCESSOR_OF:
                accessor = True
                self.accessors[occurrence.usr] = relation.usr
                # The compiler wrote it: there is something stored to get.
                if occurrence.roles & index.IMPLICIT:
                    self.stored.add(relation.usr)
            elif relation.roles & index.CHILD_OF:
                self.parents[occurrence.usr] = relation.usr
            if relation.roles & index.OVERRIDE_OF:
                self.witnesses[relation.usr].add(occurrence.usr)
                self.foreign_requirements.add(relation.name)
        generic = occurrence.subkind in index.GENERIC
        if occurrence.kind in KINDS and file.startswith("Sources/") and not (accessor or generic or occurrence.roles & index.IMPLICIT):
            self.declarations[occurrence.usr] = Declaration(file, occurrence.line, occurrence.name, occurrence.kind)
            if occurrence.name == "main()" or file.endswith("/main.swift"):
                self.entry_points.add(occurrence.usr)

    def refer(self, file, occurrence):
        owners = set()
        for relation in occurrence.relations:
            if relation.roles & index.EXTENDED_BY:
                self.extensions[relation.usr] = occurrence.usr
                return
            if relation.roles & index.BASE_OF:
                self.bases[relation.usr].add((occurrence.usr, occurrence.name, occurrence.kind))
                owners.add(relation.usr)
            if relation.roles & index.CONTAINED_BY:
                owners.add(relation.usr)
        if not file.startswith("Sources/"):
            self.named_by_tests.add(occurrence.usr)
        for owner in owners or {None}:
            self.named_by[owner if file.startswith("Sources/") else "Tests"].add(occurrence.usr)

    def owner(self, usr):
        """The declaration that a symbol is, or belongs to: an accessor to its property, an extension to its type, a parameter to its function."""
        while usr is not None and usr not in self.declarations:
            usr = self.accessors.get(usr) or self.extensions.get(usr) or self.parents.get(usr)
        return usr

    def parent(self, usr):
        return self.owner(self.parents.get(usr))

    def all_bases(self, usr):
        found, waiting = set(), [usr]
        while waiting:
            for base in self.bases[waiting.pop()] - found:
                found.add(base)
                waiting.append(base[0])
        return found

    def match_requirements(self):
        """Sorts out what meets a requirement. The index says so only of members that stand where the conformance does; the others go by their name."""
        for extension, extended in self.extensions.items():
            self.bases[extended] |= self.bases.pop(extension, set())
        requirements = defaultdict(set)
        for usr, declaration in self.declarations.items():
            parent = self.parent(usr)
            if parent and self.declarations[parent].kind == index.PROTOCOL:
                requirements[parent, declaration.name].add(usr)
        self.foreign_requirements -= {name for _, name in requirements}
        self.with_type = defaultdict(set)
        for usr, declaration in self.declarations.items():
            parent = self.parent(usr)
            if not parent or self.declarations[parent].kind not in TYPES:
                continue
            bases = self.all_bases(parent)
            names = {name for _, name, _ in bases}
            for base, _, _ in bases | {(parent, "", 0)}:
                for requirement in requirements[base, declaration.name] - {usr}:
                    self.witnesses[requirement].add(usr)
            unnamed = (
                (declaration.name in self.foreign_requirements and bases)
                or (declaration.kind == index.PROPERTY and usr in self.stored and names & READ_BY_CODE)
                or (declaration.kind == index.CASE and (names & MADE_BY_VALUE or any(kind == index.STRUCT for _, _, kind in bases)))
                or declaration.name == "CodingKeys")
            if unnamed:
                self.with_type[parent].add(usr)
        for requirement, witnesses in self.witnesses.items():
            if self.owner(requirement) is None:
                for witness in witnesses:
                    self.with_type[self.parent(self.owner(witness))].add(witness)

    def reached(self, roots):
        named = defaultdict(set)
        for usr, others in self.named_by.items():
            if usr != "Tests":
                named[self.owner(usr)] |= others
        reached, waiting = set(), [*roots, *named[None], *self.with_type[None]]
        while waiting:
            usr = self.owner(waiting.pop())
            if usr in reached or usr is None:
                continue
            reached.add(usr)
            waiting += named[usr] | self.with_type[usr] | self.witnesses[usr] | {self.parent(usr)}
        return reached

    def dead(self):
        """(declaration, its full name, why), without the members of what is dead itself."""
        product = self.reached(self.entry_points)
        tested = self.reached(self.entry_points | self.named_by_tests)
        found = []
        for usr, declaration in self.declarations.items():
            if usr not in product and (self.parent(usr) is None or self.parent(usr) in product):
                name, outer = declaration.name, self.parent(usr)
                while outer:
                    name, outer = f"{self.declarations[outer].name}.{name}", self.parent(outer)
                found.append((declaration, name, "only tests use it" if usr in tested else "nothing uses it"))
        return sorted(found)


def records(root, store):
    """What the index says about the files of the package: (path below root, occurrences). Each source file must have been compiled."""
    seen, compiled = set(), set()
    for unit in store.units():
        main, files = store.records(unit)
        if not main.startswith(root + "/") or not os.path.exists(main):
            continue
        compiled.add(main)
        for file, record in files:
            if record not in seen and file.startswith((root + "/Sources/", root + "/Tests/")):
                seen.add(record)
                yield file[len(root) + 1:], store.occurrences(record)
    for directory, _, leaves in os.walk(os.path.join(root, "Sources")):
        missing = [leaf for leaf in leaves if leaf.endswith(".swift") and os.path.join(directory, leaf) not in compiled]
        if missing:
            sys.exit(f"dead_code: {directory}/{missing[0]} is not in the index; build it first: swift build --build-tests")


def main(root, store, library, allowed=None):
    allowances = {}
    if allowed:
        with open(allowed, encoding="utf-8") as lines:
            for line in filter(None, (line.partition("#")[0].split(None, 2) for line in lines)):
                if len(line) < 3:
                    sys.exit(f"dead_code: {allowed}: '{' '.join(line)}' gives no reason")
                allowances[line[0], line[1]] = line[2]
    faults, used = 0, set()
    for declaration, name, why in Package(os.path.realpath(root), index.IndexStore(library, store)).dead():
        # By the file's name alone: a file that moves to another room keeps its allowance.
        key = (os.path.basename(declaration.file), name)
        if key in allowances:
            used.add(key)
        else:
            faults += 1
            print(f"{declaration.file}:{declaration.line}: {name}: {why}")
    for file, name in allowances.keys() - used:
        faults += 1
        print(f"{allowed}: {file} {name} is not dead, or not there: remove the line")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
