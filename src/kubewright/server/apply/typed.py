"""Values walked along their schema: field sets, comparison, merge, removal, validation.

The equivalent of structured-merge-diff's ``typed`` package; where its behaviour surprises (an emptied map becomes
null) it is followed, because the server's answers show it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from kubewright.objects import same_json
from kubewright.server.apply import fieldset
from kubewright.server.apply.atoms import ABSENT, Atom, ListKind, MapKind
from kubewright.server.apply.fieldset import MEMBER, FieldSet, Path
from kubewright.server.gotext import json_text, quote


class ListItemProblem(ValueError):
    """An item of a set or list map that cannot be told apart from others."""


def item_element(kind: ListKind, item: Any) -> str:
    """The path element of an item.

    Raises:
        ListItemProblem: the item has no key, or is of a kind that can have none.
    """
    if kind.keys:
        if item is None:
            raise ListItemProblem("associative list with keys may not have a null element")
        if not isinstance(item, dict):
            raise ListItemProblem("associative list with keys may not have non-map elements")
        keys = {}
        for name in kind.keys:
            if name in item:
                keys[name] = item[name]
            elif name in kind.key_defaults:
                keys[name] = kind.key_defaults[name]
        if not keys:
            names = "[" + " ".join(map(quote, kind.keys)) + "]"
            raise ListItemProblem(
                f"associative list with keys has an element that omits all key fields {names} "
                "(and doesn't have default values for any key fields)"
            )
        return "k:" + json_text(keys)
    if isinstance(item, dict):
        raise ListItemProblem("associative list without keys has an element that's a map type")
    if isinstance(item, list):
        raise ListItemProblem("not supported: associative list with lists as elements")
    if item is None:
        raise ListItemProblem("associative list without keys has an element that's an explicit null")
    return "v:" + json_text(item)


def _grouped(kind: ListKind, items: Sequence[Any]) -> dict[str, list[Any]]:
    groups: dict[str, list[Any]] = {}
    for item in items:
        groups.setdefault(item_element(kind, item), []).append(item)
    return groups


def field_set(atom: Atom, value: Any) -> FieldSet:
    """Every leaf, and every list item and map entry, that ``value`` mentions."""
    fields: FieldSet = {}
    _collect(atom, value, fields)
    fields.pop(MEMBER, None)
    return fields


def _collect(atom: Atom, value: Any, node: FieldSet) -> None:
    """Fill ``node`` with what is below a value; the value itself is marked with MEMBER where it is a leaf."""
    kind = atom.handled_as(atom.chosen(value))
    if kind == "map":
        described = atom.map
        if described is None or described.atomic:
            node[MEMBER] = {}
        elif isinstance(value, dict):
            _collect_fields(described, value, node)
    elif kind == "list":
        listed = atom.list
        if listed is None or listed.atomic:
            node[MEMBER] = {}
        elif isinstance(value, list):
            for element, items in _grouped(listed, value).items():
                below: FieldSet = {MEMBER: {}}
                if len(items) == 1:
                    _collect(listed.element, items[0], below)
                node[element] = below
    else:
        node[MEMBER] = {}


def _collect_fields(described: MapKind, value: dict[str, Any], node: FieldSet) -> None:
    names = described.names
    for key, inner in value.items():
        below: FieldSet = {}
        atom = described.field(key)
        if atom is not None:
            _collect(atom, inner, below)
        if inner is None or inner == {} or key not in names:
            below[MEMBER] = {}
        if below:
            node["f:" + key] = below


@dataclass(slots=True)
class Comparison:
    """How two values differ."""

    removed: FieldSet = field(default_factory=dict)
    modified: FieldSet = field(default_factory=dict)
    added: FieldSet = field(default_factory=dict)

    def without(self, excluded: FieldSet) -> Comparison:
        """The same without the fields in ``excluded`` and below them."""
        if not excluded:
            return self
        return Comparison(
            fieldset.recursive_difference(self.removed, excluded),
            fieldset.recursive_difference(self.modified, excluded),
            fieldset.recursive_difference(self.added, excluded),
        )


def compare(atom: Atom, old: Any, new: Any) -> Comparison:
    """What ``new`` removed from, modified in and added to ``old``."""
    comparison = Comparison()
    _compare(atom, old, new, (), comparison)
    return comparison


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return a == b
    return same_json(a, b)


def _compare(atom: Atom, old: Any, new: Any, path: Path, found: Comparison) -> None:
    if old is not ABSENT and new is not ABSENT and (old is new or (old == new and same_json(old, new))):
        return
    before, after = atom.chosen(old), atom.chosen(new)
    if new is ABSENT:
        leaf = _compare_as(atom, before, old, new, path, found)
    elif old is ABSENT or before == after:
        leaf = _compare_as(atom, after, old, new, path, found)
    else:
        _compare_as(atom, before, old, new, path, found)
        leaf = _compare_as(atom, after, old, new, path, found)
    if not leaf:
        if old is ABSENT:
            fieldset.insert(found.added, path)
        elif new is ABSENT:
            fieldset.insert(found.removed, path)


def _compare_as(atom: Atom, chosen: str, old: Any, new: Any, path: Path, found: Comparison) -> bool:
    kind = atom.handled_as(chosen)
    if kind == "map" and atom.map is not None:
        a, b = _as_map(old), _as_map(new)
        if not atom.map.atomic and (a or b):
            _compare_maps(atom.map, a, b, path, found)
            return False
    elif kind == "list" and atom.list is not None:
        c, d = _as_list(old), _as_list(new)
        if not atom.list.atomic and (c or d):
            _compare_lists(atom.list, c, d, path, found)
            return False
    if old is ABSENT:
        fieldset.insert(found.added, path)
    elif new is ABSENT:
        fieldset.insert(found.removed, path)
    elif not _equal(old, new):
        fieldset.insert(found.modified, path)
    return True


def _as_map(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _compare_maps(kind: MapKind, old: dict[str, Any], new: dict[str, Any], path: Path, found: Comparison) -> None:
    for key in old.keys() | new.keys():
        atom = kind.field(key)
        if atom is not None:
            _compare(atom, old.get(key, ABSENT), new.get(key, ABSENT), (*path, "f:" + key), found)


def _compare_lists(kind: ListKind, old: list[Any], new: list[Any], path: Path, found: Comparison) -> None:
    before, after = _grouped(kind, old), _grouped(kind, new)
    for element in {**before, **after}:
        a, b = before.get(element, []), after.get(element, [])
        below = (*path, element)
        if len(a) <= 1 and len(b) <= 1:
            _compare(kind.element, a[0] if a else ABSENT, b[0] if b else ABSENT, below, found)
        elif len(a) >= 2 and len(b) >= 2:
            if len(a) != len(b) or not all(map(_equal, a, b)):
                fieldset.insert(found.modified, below)
        elif len(a) >= 2:
            if b:
                _compare(kind.element, ABSENT, b[0], below, found)
            fieldset.insert(found.removed, below)
        else:
            if a:
                _compare(kind.element, a[0], ABSENT, below, found)
            fieldset.insert(found.added, below)


def merge(atom: Atom, live: Any, config: Any) -> Any:
    """``live`` with ``config`` laid over it. Neither is changed; the result shares parts with both."""
    merged = _merge(atom, live, config)
    return None if merged is ABSENT else merged


def _merge(atom: Atom, live: Any, config: Any) -> Any:
    if config is ABSENT:
        return live
    if live is ABSENT:
        return config
    kind = atom.handled_as(atom.chosen(config))
    if kind == "map" and atom.map is not None and not atom.map.atomic:
        a, b = _as_map(live), _as_map(config)
        if a or b:
            return _merge_maps(atom.map, a, b)
    elif kind == "list" and atom.list is not None and not atom.list.atomic:
        c, d = _as_list(live), _as_list(config)
        if c or d:
            return _merge_lists(atom.list, c, d)
    return config


def _merge_maps(kind: MapKind, live: dict[str, Any], config: dict[str, Any]) -> Any:
    out = dict(live)
    for key, value in config.items():
        atom = kind.field(key)
        if atom is not None:
            merged = _merge(atom, live.get(key, ABSENT), value)
            if merged is not ABSENT:
                out[key] = merged
    return out or ABSENT


def _merge_lists(kind: ListKind, live: list[Any], config: list[Any]) -> Any:
    """Items stay in the live order until the configuration's order demands otherwise."""
    left = [item_element(kind, item) for item in live]
    right = [item_element(kind, item) for item in config]
    mine: dict[str, Any] = {}
    for element, item in zip(left, live, strict=True):
        mine[element] = None if element in mine else item
    theirs = dict(zip(right, config, strict=True))
    shared = [element for element in right if element in mine]
    next_shared = shared.pop(0) if shared else None
    done: set[str] = set()
    out: list[Any] = []

    def take(element: str, item: Any) -> None:
        merged = _merge(kind.element, item, theirs.get(element, ABSENT))
        if merged is not ABSENT:
            out.append(merged)

    at_left = at_right = 0
    while at_left < len(left) or at_right < len(right):
        if at_left < len(left) and at_right < len(right):
            element = left[at_left]
            if element == right[at_right]:
                done.add(element)
                take(element, mine[element])
                at_left += 1
                at_right += 1
                next_shared = shared.pop(0) if shared else None
                continue
            if element in theirs and next_shared is not None and next_shared != element:
                at_left += 1
                continue
        if at_left < len(left):
            element = left[at_left]
            if element not in theirs:
                out.append(live[at_left])
                at_left += 1
                continue
            if element in done:
                at_left += 1
        if at_right < len(right):
            element = right[at_right]
            done.add(element)
            take(element, mine.get(element, ABSENT))
            at_right += 1
            if next_shared == element:
                next_shared = shared.pop(0) if shared else None
    return out or ABSENT


def remove(atom: Atom, value: Any, fields: FieldSet) -> Any:
    """``value`` without the fields and items in ``fields``; what is emptied by it becomes null."""
    kind = atom.handled_as(atom.chosen(value))
    if kind == "map":
        described = atom.map
        if described is None or not isinstance(value, dict) or not value or described.atomic:
            return None
        kept: dict[str, Any] = {}
        for key, inner in value.items():
            below = fields.get("f:" + key)
            if below is None:
                kept[key] = inner
            elif MEMBER not in below:
                kept[key] = remove(described.field(key) or atom, inner, below)
        return kept or None
    if kind == "list":
        listed = atom.list
        if listed is None or not isinstance(value, list) or not value or listed.atomic:
            return None
        items = []
        for item in value:
            below = fields.get(item_element(listed, item))
            if below is None:
                items.append(item)
            elif MEMBER not in below:
                items.append(remove(listed.element, item, below))
        return items or None
    return value


def with_named_fields(atom: Atom | None, fields: FieldSet) -> FieldSet:
    """``fields`` with every field that the schema names and that has something below it as a member."""
    result: FieldSet = {}
    for element, below in fields.items():
        if element == MEMBER:
            result[MEMBER] = below
            continue
        inner: Atom | None = None
        named = False
        if element[0] == "f" and atom is not None and atom.map is not None:
            inner = atom.map.field(element[2:])
            named = element[2:] in atom.map.names
        elif element[0] == "k" and atom is not None and atom.list is not None:
            inner = atom.list.element
        deeper = with_named_fields(inner, below)
        if named and MEMBER not in deeper:
            deeper[MEMBER] = {}
        result[element] = deeper
    return result


def reconciled(atom: Atom, fields: FieldSet, *, owned_whole: bool = False) -> FieldSet:
    """``fields`` as the schema has them now: what became atomic since they were written is owned whole."""
    kind = atom.handled_as("any")
    if kind == "list" and atom.list is not None:
        if atom.list.atomic:
            return fields if owned_whole else {MEMBER: {}}
        element_atom = atom.list.element
        return _reconciled_below(fields, lambda element: element_atom)
    if kind == "map" and atom.map is not None:
        described = atom.map
        if described.deduced:
            return fields
        if described.atomic:
            return fields if owned_whole or not fields else {MEMBER: {}}
        return _reconciled_below(
            fields, lambda element: described.field(element[2:]) if element[0] == "f" else described.element
        )
    return fields


def _reconciled_below(fields: FieldSet, atom_at: Any) -> FieldSet:
    result = fields
    for element, below in fields.items():
        if element == MEMBER:
            continue
        atom = atom_at(element)
        if atom is None:
            continue
        now = reconciled(atom, below, owned_whole=len(below) == 1 and MEMBER in below)
        if now is not below:
            if result is fields:
                result = dict(fields)
            result[element] = now
    return result
