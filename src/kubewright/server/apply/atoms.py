"""What apply needs to know of a schema's node: is it a scalar, a list or a map, and who owns its parts.

The equivalent of structured-merge-diff's schema atoms, made from our own schemas when first asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from kubewright.objects import copy_json
from kubewright.server.schema import Schema


class Absent:
    """No value at all, which is not the same as null."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = Absent()


class ListKind:
    """A list: owned whole (``atomic``), or item by item, told apart by ``keys`` or by their values."""

    def __init__(self, schema: Schema | None, *, preserving: bool) -> None:
        self._schema = schema
        self._preserving = preserving
        self.atomic = True
        self.keys: Sequence[str] = ()
        if schema is None:
            return
        if schema.list_type:
            self.atomic = schema.list_type == "atomic"
            if schema.list_type == "map":
                self.keys = tuple(schema.list_map_keys)
        elif "merge" in schema.merge_strategy:
            self.atomic = False
            self.keys = (schema.merge_key,) if schema.merge_key else ()

    @cached_property
    def element(self) -> Atom:
        """What the items are."""
        items = None if self._schema is None else self._schema.items
        return UNTYPED if items is None else atom_of(items, preserving=self._preserving)

    @cached_property
    def key_defaults(self) -> Mapping[str, Any]:
        """Defaults of the key fields: an item may leave such a key out."""
        described = self.element.map
        if described is None:
            return {}
        return {name: copy_json(found) for name in self.keys if (found := described.default_of(name)) is not None}


class MapKind:
    """A map or an object: owned whole (``atomic``), or field by field."""

    def __init__(self, schema: Schema | None, *, preserving: bool) -> None:
        self._schema = schema
        self._preserving = preserving
        self._fields: dict[str, Atom] = {}
        self.atomic = schema is not None and schema.map_type == "atomic"

    @property
    def names(self) -> Mapping[str, Schema]:
        """The fields that the schema names."""
        return {} if self._schema is None else self._schema.properties

    def default_of(self, name: str) -> Any:
        """The default of a named field."""
        found = self.names.get(name)
        return None if found is None else found.default

    def field(self, name: str) -> Atom | None:
        """What the value under ``name`` is, or None if the schema does not allow the name."""
        found = self._fields.get(name)
        if found is not None:
            return found
        described = self.names.get(name)
        if described is None:
            return self.element
        made = self._fields[name] = atom_of(described, preserving=self._preserving)
        return made

    @cached_property
    def element(self) -> Atom | None:
        """What values under names that the schema does not list are, or None if there may be none."""
        schema = self._schema
        if schema is None:
            return DEDUCED
        if schema.additional_properties is not None:
            return atom_of(schema.additional_properties, preserving=self._preserving)
        if "additionalProperties" in schema.node:
            return DEDUCED if schema.allows_additional else None
        return DEDUCED if self._preserving or not schema.properties else None

    @property
    def deduced(self) -> bool:
        """Nothing is known of the fields: their kinds follow from their values."""
        return not self.names and self.element is DEDUCED


@dataclass(eq=False)
class Atom:
    """What a node takes; ``scalar`` is ``numeric``, ``string``, ``boolean``, ``untyped`` or empty for none."""

    scalar: str = ""
    list: ListKind | None = None
    map: MapKind | None = None

    def chosen(self, value: Any) -> str:
        """Which kind ``value`` is: ``scalar``, ``list``, ``map``, or ``any`` if that cannot be said."""
        if value is ABSENT or value is None:
            return "any"
        if isinstance(value, dict):
            return "map" if self.map is not None else "any"
        if isinstance(value, list):
            return "list" if self.list is not None else "any"
        return "scalar" if self.scalar else "any"

    def handled_as(self, chosen: str) -> str:
        """The kind a value is handled as: an undecided one as a map if it may be, then a scalar, then a list."""
        if chosen != "any":
            return chosen
        if self.map is not None:
            return "map"
        return "scalar" if self.scalar else "list"


UNTYPED = Atom("untyped")
"""Anything, owned whole."""
UNTYPED.list = ListKind(None, preserving=False)
UNTYPED.map = MapKind(None, preserving=False)
UNTYPED.map.atomic = True

DEDUCED = Atom("untyped", ListKind(None, preserving=False), MapKind(None, preserving=False))
"""Anything: maps are owned field by field, lists whole."""

_SCALARS = {"integer": "numeric", "number": "numeric", "boolean": "boolean"}
_RAW_EXTENSION = "io.k8s.apimachinery.pkg.runtime.RawExtension"
_PLAIN_STRINGS = ("", "byte")


def atom_of(schema: Schema, *, preserving: bool = False) -> Atom:
    """The atom of a schema; ``preserving`` says that a node above it keeps unknown fields."""
    attribute = "_atom_preserving" if preserving else "_atom"
    made = schema.__dict__.get(attribute)
    if isinstance(made, Atom):
        return made
    atom = _make(schema, preserving=preserving or bool(schema.node.get("x-kubernetes-preserve-unknown-fields")))
    schema.__dict__[attribute] = atom
    return atom


def _make(schema: Schema, *, preserving: bool) -> Atom:
    kind = schema.type
    if schema.name == _RAW_EXTENSION:
        return UNTYPED
    if schema.int_or_string or (not kind and "oneOf" in schema.node):
        return Atom("untyped")
    if kind == "object":
        return Atom(map=MapKind(schema, preserving=preserving))
    if kind == "array":
        return Atom(list=ListKind(schema, preserving=preserving))
    if kind == "string":
        return Atom("string" if schema.format in _PLAIN_STRINGS else "untyped")
    if kind in _SCALARS:
        return Atom(_SCALARS[kind])
    return Atom("untyped", ListKind(schema, preserving=preserving), MapKind(schema, preserving=preserving))
