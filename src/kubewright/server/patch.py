"""Strategic merge patch: lists merged by key, as the schema's patch strategies and the patch's directives say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kubewright.errors import PatchError
from kubewright.objects import JsonObject, copy_json, same_json
from kubewright.server.gotext import display
from kubewright.server.schema import Schema

DIRECTIVE = "$patch"
RETAIN_KEYS = "$retainKeys"
DELETE_PREFIX = "$deleteFromPrimitiveList"
ORDER_PREFIX = "$setElementOrder"

__all__ = ["PatchError", "strategic_merge"]

_BAD_ORDER = "invalid patch format of setElementOrder list"
_BAD_RETAIN_KEYS = "invalid patch format of retainKeys"
_BAD_PRIMITIVES = "invalid patch format of primitive list"


def strategic_merge(doc: JsonObject, patch: JsonObject, schema: Schema) -> JsonObject:
    """Apply a strategic merge patch; neither ``doc`` nor ``patch`` is changed.

    Raises:
        PatchError: the patch cannot be applied; 400 for a malformed directive, otherwise 422 or 500 as the API
            server answers.
    """
    return _merge_map(copy_json(doc), copy_json(patch), schema)


def _merge_map(original: JsonObject, patch: JsonObject, schema: Schema | None) -> JsonObject:
    if DIRECTIVE in patch:
        directive = patch.pop(DIRECTIVE)
        if directive == "replace":
            return patch
        if directive == "delete":
            return {}
        raise PatchError(_unknown_directive(directive, {**patch, DIRECTIVE: directive}), code=500)
    _retain_keys(original, patch)
    _set_element_orders(original, patch, schema)
    for key, value in patch.items():
        _merge_key(original, key, value, schema)
    return original


def _merge_key(original: JsonObject, key: str, value: Any, schema: Schema | None) -> None:
    deleting = key.startswith(DELETE_PREFIX)
    if deleting:
        key = _listed_key(key, DELETE_PREFIX, _BAD_PRIMITIVES)
    if value is None:
        original.pop(key, None)
        return
    current = original.get(key)
    described = None if schema is None else schema.field(key)
    if isinstance(current, dict) and isinstance(value, dict):
        if described is not None and "replace" in described.merge_strategy:
            original[key] = value
        else:
            original[key] = _merge_map(current, value, described)
    elif isinstance(current, list) and isinstance(value, list):
        original[key] = _merge_field_list(current, value, described, deleting=deleting)
    elif not deleting:
        kept = _without_directives(_without_nulls(value) if not _same_kind(current, value) else value)
        if kept is _DROPPED:
            original.pop(key, None)
        else:
            original[key] = kept


def _same_kind(current: Any, value: Any) -> bool:
    return type(current) is type(value)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value


class _Dropped:
    pass


_DROPPED = _Dropped()


def _without_directives(value: Any) -> Any:
    if isinstance(value, dict):
        if DIRECTIVE in value:
            return _DROPPED
        kept = {key: _without_directives(inner) for key, inner in value.items()}
        return {key: inner for key, inner in kept.items() if inner is not _DROPPED}
    if isinstance(value, list):
        return [item for item in map(_without_directives, value) if item is not _DROPPED]
    return value


def _listed_key(key: str, prefix: str, problem: str) -> str:
    found, slash, rest = key.partition("/")
    if not slash or found != prefix:
        raise PatchError(problem, code=400)
    return rest


def _retain_keys(original: JsonObject, patch: JsonObject) -> None:
    """``$retainKeys`` clears what it does not name; the patch may set only what it names."""
    if RETAIN_KEYS not in patch:
        return
    names = patch.pop(RETAIN_KEYS)
    if not isinstance(names, list):
        raise PatchError(_BAD_RETAIN_KEYS, code=400)
    for key, value in patch.items():
        if value is None or key.startswith((DELETE_PREFIX, ORDER_PREFIX)):
            continue
        if key not in names:
            raise PatchError(_BAD_RETAIN_KEYS, code=400)
    for key in [key for key in original if key not in names]:
        del original[key]


def _set_element_orders(original: JsonObject, patch: JsonObject, schema: Schema | None) -> None:
    """Merge the lists that ``$setElementOrder`` directives speak of, and put their items in that order."""
    for key in [key for key in patch if key.startswith(ORDER_PREFIX)]:
        order = patch.pop(key)
        if not isinstance(order, list):
            raise PatchError(_bad_type("[]interface {}", order), code=500)
        name = _listed_key(key, ORDER_PREFIX, _BAD_ORDER)
        ours, theirs = original.get(name), patch.get(name)
        for value in (ours, theirs):
            if value is not None and not isinstance(value, list):
                raise PatchError(_bad_type("[]interface {}", value), code=500)
        described = None if schema is None else schema.field(name)
        merge_key = "" if described is None else described.merge_key
        _check_order(theirs or [], order, merge_key)
        if ours is None and theirs is None:
            continue
        server_order = list(ours or [])
        if theirs is None:
            merged = list(ours or [])
        elif ours is None:
            merged = _without_directives(theirs)
        else:
            merged = _merge_field_list(ours, theirs, described)
        _element_kind(server_order, theirs or [])
        original[name] = _arranged(merged, order, server_order, merge_key)
        patch.pop(name, None)


def _check_order(items: Sequence[Any], order: Sequence[Any], merge_key: str) -> None:
    """The patch's items must stand in the order they are asked to have."""
    if not items or not order:
        return
    kept = [item for item in items if not merge_key or item.get(DIRECTIVE) != "delete"]
    at_item = at_order = 0
    while at_item < len(kept) and at_order < len(order):
        item = kept[at_item]
        if isinstance(item, dict) and DIRECTIVE in item:
            at_item += 1
            continue
        if same_json(_key_of(item, merge_key), _key_of(order[at_order], merge_key)):
            at_item += 1
        at_order += 1
    if at_item < len(kept) and at_order >= len(order):
        words = f"The order in patch list:\n{_go(items)}\n doesn't match {ORDER_PREFIX} list:\n{_go(order)}\n"
        raise PatchError(words, code=500)


def _key_of(item: Any, merge_key: str) -> Any:
    if not merge_key:
        return item
    if not isinstance(item, dict):
        raise PatchError(_bad_type("map[string]interface {}", item), code=500)
    if merge_key not in item:
        raise PatchError(_no_merge_key(item, merge_key), code=500)
    return item[merge_key]


def _merge_field_list(
    original: list[Any], patch: list[Any], schema: Schema | None, *, deleting: bool = False
) -> list[Any]:
    merges = schema is not None and "merge" in schema.merge_strategy
    if not merges and not deleting:
        return patch
    if not original and not patch:
        return original
    if _element_kind(original, patch) is not dict:
        if deleting:
            return [item for item in original if not _listed(item, patch)]
        merged = _distinct([*original, *patch])
        return _arranged(merged, patch, original, "")
    merge_key = "" if schema is None else schema.merge_key
    if not merge_key:
        raise PatchError("cannot merge lists without merge key for list", code=500)
    original, patch = _apply_item_directives(original, patch, merge_key)
    server_order = list(original)
    items = None if schema is None else schema.items
    merged = list(original)
    for item in patch:
        key = _key_of(item, merge_key)
        at = _find(merged, merge_key, key)
        if at is None:
            merged.append(item)
        else:
            merged[at] = _merge_map(merged[at], item, items)
    return _arranged(merged, patch, server_order, merge_key)


def _apply_item_directives(original: list[Any], patch: list[Any], merge_key: str) -> tuple[list[Any], list[Any]]:
    kept: list[Any] = []
    replace = False
    for item in patch:
        directive = item.get(DIRECTIVE, _DROPPED)
        if directive is _DROPPED:
            kept.append(item)
        elif directive == "delete":
            key = _key_of(item, merge_key)
            original = [other for other in original if not same_json(other.get(merge_key, _DROPPED), key)]
        elif directive == "replace":
            replace = True
        elif directive == "merge":
            raise PatchError("merging lists cannot yet be specified in the patch", code=500)
        else:
            raise PatchError(_unknown_directive(directive, item), code=500)
    return (kept, []) if replace else (original, kept)


def _find(items: Sequence[Any], merge_key: str, key: Any) -> int | None:
    for at, item in enumerate(items):
        if merge_key in item and same_json(item[merge_key], key):
            return at
    return None


def _listed(item: Any, items: Sequence[Any]) -> bool:
    return any(same_json(item, other) for other in items)


def _distinct(items: list[Any]) -> list[Any]:
    """Drop repeated scalars as the server does: the last item takes a dropped one's place."""
    at = 0
    while at < len(items) - 1:
        other = at + 1
        while other < len(items):
            if same_json(items[at], items[other]):
                last = items.pop()
                if other < len(items):
                    items[other] = last
            else:
                other += 1
        at += 1
    return items


def _element_kind(*lists: Sequence[Any]) -> type:
    kind: type | None = None
    for item in (item for items in lists for item in items):
        if isinstance(item, list):
            raise PatchError("lists of lists are not supported", code=422)
        if kind is not None and type(item) is not kind:
            raise PatchError(f"list element types are not identical: {_go(list(lists))}", code=500)
        kind = type(item)
    if kind is None:
        raise PatchError("no elements in any of the given slices", code=500)
    return kind


def _arranged(merged: list[Any], order: Sequence[Any], server_order: Sequence[Any], merge_key: str) -> list[Any]:
    """What the patch names in the patch's order, the rest where the server had it."""
    named: list[Any] = []
    rest: list[Any] = []
    for item in merged:
        (named if _position(order, item, merge_key) >= 0 else rest).append(item)
    named.sort(key=lambda item: _position(order, item, merge_key))
    rest.sort(key=lambda item: _position(server_order, item, merge_key))
    result: list[Any] = []
    at_rest = at_named = 0
    while at_rest < len(rest) and at_named < len(named):
        left = _position(server_order, rest[at_rest], merge_key)
        right = _position(server_order, named[at_named], merge_key)
        if 0 <= left < right:
            result.append(rest[at_rest])
            at_rest += 1
        else:
            result.append(named[at_named])
            at_named += 1
    return [*result, *rest[at_rest:], *named[at_named:]]


def _position(items: Sequence[Any], item: Any, merge_key: str) -> int:
    wanted = _key_of(item, merge_key)
    for at, other in enumerate(items):
        key = (other.get(merge_key, _DROPPED) if isinstance(other, dict) else _DROPPED) if merge_key else other
        if same_json(key, wanted):
            return at
    return -1


def _go(value: Any) -> str:
    """``%v``."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return "map[" + " ".join(f"{key}:{_go(value[key])}" for key in sorted(value)) + "]"
    if isinstance(value, (list, tuple)):
        return "[" + " ".join(map(_go, value)) + "]"
    return "<nil>" if value is None else display(value)


def _go_type(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "string"
    if isinstance(value, int):
        return "int64"
    if isinstance(value, float):
        return "float64"
    if isinstance(value, dict):
        return "map[string]interface {}"
    return "[]interface {}" if isinstance(value, list) else "%!s(<nil>)"


def _bad_type(expected: str, value: Any) -> str:
    return f"expected a {expected}, but received a {_go_type(value)}"


def _no_merge_key(item: JsonObject, merge_key: str) -> str:
    return f"map: {_go(item)} does not contain declared merge key: {merge_key}"


def _unknown_directive(directive: Any, item: JsonObject) -> str:
    return f"unknown patch type: {_go(directive)} in map: {_go(item)}"
