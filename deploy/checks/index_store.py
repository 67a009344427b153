"""Reads the index that the Swift compiler writes beside a debug build, through the toolchain's libIndexStore (its header: indexstore/indexstore.h)."""

import ctypes
import os
from typing import NamedTuple

# Roles of an occurrence and of its relations, kinds of symbols: indexstore_symbol_role_t, indexstore_symbol_kind_t.
DEFINITION, REFERENCE, IMPLICIT = 1 << 1, 1 << 2, 1 << 8
CHILD_OF, BASE_OF, OVERRIDE_OF, EXTENDED_BY, ACCESSOR_OF, CONTAINED_BY = (1 << bit for bit in (9, 10, 11, 14, 15, 16))
ENUM, STRUCT, CLASS, PROTOCOL, TYPE_ALIAS, CASE, PROPERTY, INITIALIZER = 5, 6, 7, 8, 11, 15, 19, 22
# Globals, methods, and properties of types.
OTHERS = {12, 13, 16, 17, 18, 20, 21}
GENERIC = {1012, 1013}  # subkinds: associated type, generic parameter
RECORD = 2  # indexstore_unit_dependency_kind_t


class Text(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("length", ctypes.c_size_t)]

    def __str__(self):
        return ctypes.string_at(self.data, self.length).decode(errors="replace") if self.length else ""


class Relation(NamedTuple):
    roles: int
    usr: str
    name: str


class Occurrence(NamedTuple):
    """A place where a symbol is named. `usr` identifies the symbol in all modules."""

    usr: str
    name: str
    kind: int
    subkind: int
    line: int
    roles: int
    relations: list


NAME_VISITOR = ctypes.CFUNCTYPE(ctypes.c_bool, ctypes.c_void_p, Text)
VISITOR = ctypes.CFUNCTYPE(ctypes.c_bool, ctypes.c_void_p, ctypes.c_void_p)
RESULTS = {
    ctypes.c_void_p: ("store_create", "unit_reader_create", "record_reader_create", "occurrence_get_symbol", "symbol_relation_get_symbol"),
    Text: ("symbol_get_usr", "symbol_get_name", "unit_reader_get_main_file", "unit_dependency_get_name", "unit_dependency_get_filepath"),
    ctypes.c_uint64: ("occurrence_get_roles", "symbol_relation_get_roles"),
}


class IndexStore:
    def __init__(self, library, path):
        self.library = ctypes.CDLL(library)
        for result, names in RESULTS.items():
            for name in names:
                getattr(self.library, "indexstore_" + name).restype = result
        self.store = self.call("store_create", os.fsencode(path), None)
        if not self.store:
            raise OSError(f"there is no index in {path}")

    def call(self, name, *arguments):
        """Pointers are passed as pointers: a bare number would be cut to an int."""
        result = getattr(self.library, "indexstore_" + name)(*arguments)
        return ctypes.c_void_p(result) if name in RESULTS[ctypes.c_void_p] else result

    def each(self, name, handle, visit):
        self.call(name + "_apply_f", handle, None, VISITOR(lambda _, pointer: visit(ctypes.c_void_p(pointer)) or True))

    def units(self):
        names = []
        self.call("store_units_apply_f", self.store, 0, None, NAME_VISITOR(lambda _, name: names.append(str(name)) or True))
        return names

    def records(self, unit):
        """A compiled file's path, and the files that it says something about: (path, name of the record)."""
        reader = self.call("unit_reader_create", self.store, unit.encode(), None)
        found = []

        def visit(dependency):
            if self.call("unit_dependency_get_kind", dependency) == RECORD:
                found.append((str(self.call("unit_dependency_get_filepath", dependency)), str(self.call("unit_dependency_get_name", dependency))))

        self.each("unit_reader_dependencies", reader, visit)
        main = str(self.call("unit_reader_get_main_file", reader))
        self.call("unit_reader_dispose", reader)
        return main, found

    def occurrences(self, record):
        reader = self.call("record_reader_create", self.store, record.encode(), None)
        found = []
        line, column = ctypes.c_uint(), ctypes.c_uint()

        def visit(occurrence):
            symbol = self.call("occurrence_get_symbol", occurrence)
            relations = []

            def relate(relation):
                other = self.call("symbol_relation_get_symbol", relation)
                roles = self.call("symbol_relation_get_roles", relation)
                relations.append(Relation(roles, str(self.call("symbol_get_usr", other)), str(self.call("symbol_get_name", other))))

            self.each("occurrence_relations", occurrence, relate)
            self.call("occurrence_get_line_col", occurrence, ctypes.byref(line), ctypes.byref(column))
            found.append(
                Occurrence(
                    str(self.call("symbol_get_usr", symbol)), str(self.call("symbol_get_name", symbol)), self.call("symbol_get_kind", symbol),
                    self.call("symbol_get_subkind", symbol), line.value, self.call("occurrence_get_roles", occurrence), relations))

        self.each("record_reader_occurrences", reader, visit)
        self.call("record_reader_dispose", reader)
        return found
