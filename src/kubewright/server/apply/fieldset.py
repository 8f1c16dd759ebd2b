"""Sets of field paths, as ``managedFields`` keep them (FieldsV1).

A set is a tree of dictionaries: the keys are path elements as FieldsV1 writes them (``f:name``, ``k:{…}``,
``v:…``), and :data:`MEMBER` in a node says that the path to it is in the set. Operations return new sets and share
what did not change; a set is never changed after it was given away.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

from kubewright.server.gotext import float_text, json_text, quote

FieldSet: TypeAlias = dict[str, Any]
Path: TypeAlias = tuple[str, ...]

MEMBER = "."
_IN: dict[str, Any] = {}


class BadFields(ValueError):
    """FieldsV1 that cannot be read."""


def insert(fields: FieldSet, path: Sequence[str]) -> None:
    """Put ``path`` into a set that is being built; the empty path is not tracked."""
    if not path:
        return
    node = fields
    for element in path:
        node = node.setdefault(element, {})
    node[MEMBER] = _IN


def of(*paths: Path) -> FieldSet:
    """The set of these paths."""
    fields: FieldSet = {}
    for path in paths:
        insert(fields, path)
    return fields


def from_fields_v1(fields: Any, *, top: bool = True) -> FieldSet:
    """Read FieldsV1.

    Raises:
        BadFields: it is not FieldsV1.
    """
    if not isinstance(fields, dict):
        raise BadFields("not an object")
    if not fields and not top:
        return {MEMBER: _IN}
    result: FieldSet = {}
    for element, below in fields.items():
        if element == MEMBER:
            result[MEMBER] = _IN
            continue
        if len(element) < 2 or element[1] != ":" or element[0] not in "fkvi":
            raise BadFields(element)
        result[_canonical(element)] = from_fields_v1(below, top=False)
    return result


def _canonical(element: str) -> str:
    if element[0] not in "kv":
        return element
    try:
        value = json.loads(element[2:])
    except ValueError as error:
        raise BadFields(element) from error
    return element[:2] + json_text(value)


def to_fields_v1(fields: FieldSet) -> dict[str, Any]:
    """Write FieldsV1, elements in the server's order."""
    result: dict[str, Any] = {}
    for element in sorted(fields):
        if element == MEMBER:
            result[MEMBER] = {}
        else:
            below = fields[element]
            result[element] = {} if len(below) == 1 and MEMBER in below else to_fields_v1(below)
    return result


def union(a: FieldSet, b: FieldSet) -> FieldSet:
    """What is in either."""
    if not a or a is b:
        return b
    if not b:
        return a
    result = dict(a)
    for element, below in b.items():
        mine = result.get(element)
        result[element] = below if mine is None or element == MEMBER else union(mine, below)
    return result


def intersection(a: FieldSet, b: FieldSet) -> FieldSet:
    """What is in both."""
    result: FieldSet = {}
    for element, below in a.items():
        theirs = b.get(element)
        if theirs is None:
            continue
        if element == MEMBER:
            result[MEMBER] = _IN
        elif both := intersection(below, theirs):
            result[element] = both
    return result


def difference(a: FieldSet, b: FieldSet) -> FieldSet:
    """What is in ``a`` and not in ``b``; a path in ``b`` does not take those below it along."""
    if not b:
        return a
    result: FieldSet = {}
    for element, below in a.items():
        theirs = b.get(element)
        if theirs is None:
            result[element] = below
        elif element != MEMBER and (rest := difference(below, theirs)):
            result[element] = rest
    return result


def recursive_difference(a: FieldSet, b: FieldSet) -> FieldSet:
    """What is in ``a`` and neither in ``b`` nor below a path in ``b``."""
    if not b:
        return a
    result: FieldSet = {}
    for element, below in a.items():
        theirs = b.get(element)
        if theirs is None:
            result[element] = below
        elif element != MEMBER and MEMBER not in theirs and (rest := recursive_difference(below, theirs)):
            result[element] = rest
    return result


def same(a: FieldSet, b: FieldSet) -> bool:
    """Both hold the same paths."""
    return a == b


def paths(fields: FieldSet, prefix: Path = ()) -> Iterator[Path]:
    """Every path, members of a level before what is below them, each in order."""
    elements = sorted(element for element in fields if element != MEMBER)
    for element in elements:
        if MEMBER in fields[element]:
            yield (*prefix, element)
    for element in elements:
        yield from paths(fields[element], (*prefix, element))


def path_text(path: Path) -> str:
    """A path as messages show it: ``.spec.ports[port=80,protocol="TCP"].name``."""
    return "".join(map(element_text, path))


def element_text(element: str) -> str:
    """One element of a path as messages show it."""
    kind, rest = element[0], element[2:]
    if kind == "f":
        return "." + rest
    if kind == "k":
        keys = json.loads(rest)
        return "[" + ",".join(f"{name}={_value_text(keys[name])}" for name in sorted(keys)) + "]"
    if kind == "v":
        return f"[={_value_text(json.loads(rest))}]"
    return f"[{rest}]"


def _value_text(value: Any) -> str:
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, float):
        return float_text(value)
    return json_text(value)
