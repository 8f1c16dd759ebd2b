"""Says where a live object does not hold what is desired, following the type: what decides whether to write."""

from __future__ import annotations

import base64
import typing
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeAlias

from kubewright.errors import InvalidQuantity
from kubewright.objects.annotations import Reading, is_model, model_fields, read
from kubewright.objects.jsontree import JsonObject
from kubewright.objects.markers import Atomic, IntOrStringMarker, ListMap, ListSet, QuantityMarker
from kubewright.objects.quantity import parse_quantity

# Reports into the list the paths at which the second value does not hold the first.
Comparer: TypeAlias = Callable[[Any, Any, str, list[str]], None]

KEY_DEFAULTS: dict[str, object] = {"protocol": "TCP", "name": ""}
"""Keys of built-in list-maps that an object may leave out, as the API server fills them in."""

# What the API server adds to structs that are otherwise owned as a whole.
_ADDED_TO_ATOMIC = {"ObjectFieldSelector": ("apiVersion",), "ResourceFieldSelector": ("divisor",)}

_MISSING: Any = object()


def subset_differences(desired: JsonObject, live: JsonObject, type: Any = None) -> list[str]:  # noqa: A002
    """The paths at which ``live`` does not hold what ``desired`` says; none if there is nothing to write.

    What the live object has beyond that is no difference: fields and map keys that the API server or somebody
    else set, further items of lists that are maps or sets. Other lists must have the same items in the same
    order, though the server may have added fields inside them. Quantities, ints-or-strings and times are compared
    by value; an empty map, list or string equals a missing one. ``apiVersion`` and ``kind`` are not compared.

    ``type`` is the class of the object; without it, lists are compared item by item and scalars as they are.
    """
    served_by = getattr(type, "api_resource", None)
    if "stringData" in desired and served_by is not None and served_by.group_resource == "secrets":
        desired = _with_string_data(desired)
    found: list[str] = []
    compare = _generic if type is None else _comparer(type)
    compare({key: value for key, value in desired.items() if key not in ("apiVersion", "kind")}, live, "", found)
    return found


def _with_string_data(secret: JsonObject) -> JsonObject:
    # The API server moves stringData into data and never returns it.
    encoded = {key: base64.b64encode(str(value).encode()).decode() for key, value in secret["stringData"].items()}
    rest = {key: value for key, value in secret.items() if key != "stringData"}
    return {**rest, "data": {**(secret.get("data") or {}), **encoded}}


def _comparer(annotation: Any) -> Comparer:
    """The comparer of an annotation, made once."""
    try:
        return _made(annotation)
    except TypeError:  # an annotation that cannot be hashed
        return _make(annotation)


@lru_cache(maxsize=8192)
def _made(annotation: Any) -> Comparer:
    return _make(annotation)


def _make(annotation: Any) -> Comparer:
    reading = read(annotation)
    base = reading.base
    origin, arguments = typing.get_origin(base), typing.get_args(base)
    if reading.marker(QuantityMarker):
        return _by_value(_quantity)
    if reading.marker(IntOrStringMarker):
        return _by_value(str)
    if base is datetime:
        return _by_value(_instant)
    if is_model(base) or is_model(origin):
        return _struct(base, atomic=reading.marker(Atomic) is not None)
    if origin is dict and len(arguments) == 2:
        return _map(arguments[1], atomic=reading.marker(Atomic) is not None)
    if origin is list:
        return _list(arguments[0], reading)
    return _generic


def _absent(want: Any, have: Any) -> bool:
    """Whether one is missing and the other says no more than that."""
    return have in (_MISSING, None) and (want is None or want in ("", [], {}))


def _by_value(value_of: Callable[[Any], object]) -> Comparer:
    def compare(want: Any, have: Any, path: str, found: list[str]) -> None:
        if _absent(want, have):
            return
        if have is _MISSING or have is None or value_of(want) != value_of(have):
            found.append(path)

    return compare


def _quantity(value: Any) -> object:
    try:
        return parse_quantity(value)
    except InvalidQuantity:
        return value


def _instant(value: Any) -> object:
    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return value


def _step(path: str, key: str) -> str:
    if not path:
        return key
    return f"{path}[{key}]" if "." in key or "/" in key else f"{path}.{key}"


def _struct(cls: Any, *, atomic: bool) -> Comparer:
    fields: dict[str, Comparer] = {}
    added = _ADDED_TO_ATOMIC.get(getattr(cls, "__name__", ""), ())

    def compare(want: Any, have: Any, path: str, found: list[str]) -> None:
        if _absent(want, have):
            return
        if not isinstance(want, dict) or not isinstance(have, dict):
            found.append(path)
            return
        if not fields:  # only now: a type may contain itself
            fields.update({wire: _comparer(field.annotation) for wire, field in model_fields(cls).items()})
        for key, wanted in want.items():
            held = have.get(key, _MISSING)
            if held is _MISSING or held != wanted:
                fields.get(key, _generic)(wanted, held, _step(path, key), found)
        if atomic:
            found.extend(_step(path, key) for key in _extra(want, have) if key not in added)

    return compare


def _extra(want: JsonObject, have: JsonObject) -> Iterator[str]:
    return (key for key, value in have.items() if key not in want and value not in (None, "", [], {}))


def _map(value: Any, *, atomic: bool) -> Comparer:
    compare_value = _comparer(value)

    def compare(want: Any, have: Any, path: str, found: list[str]) -> None:
        if _absent(want, have):
            return
        if not isinstance(want, dict) or not isinstance(have, dict):
            found.append(path)
            return
        for key, wanted in want.items():
            held = have.get(key, _MISSING)
            if held is _MISSING and wanted is not None:
                found.append(_step(path, key))
            elif held != wanted:
                compare_value(wanted, held, _step(path, key), found)
        if atomic:
            found.extend(_step(path, key) for key in have if key not in want)

    return compare


def _list(item: Any, reading: Reading) -> Comparer:
    compare_item = _comparer(item)
    if keyed := reading.marker(ListMap):
        return _list_map(compare_item, keyed.keys)
    if reading.marker(ListSet):
        return _list_set(compare_item)
    return _list_exact(compare_item)


def _list_exact(compare_item: Comparer) -> Comparer:
    def compare(want: Any, have: Any, path: str, found: list[str]) -> None:
        if _absent(want, have):
            return
        if not isinstance(want, list) or not isinstance(have, list) or len(want) != len(have):
            found.append(path)
            return
        for index, (wanted, held) in enumerate(zip(want, have, strict=True)):
            if wanted != held:
                compare_item(wanted, held, f"{path}[{index}]", found)

    return compare


def _list_set(compare_item: Comparer) -> Comparer:
    def compare(want: Any, have: Any, path: str, found: list[str]) -> None:
        if _absent(want, have):
            return
        if not isinstance(want, list) or not isinstance(have, list):
            found.append(path)
            return
        found.extend(
            f"{path}[{wanted}]"
            for wanted in want
            if wanted not in have and not any(_holds(compare_item, wanted, held) for held in have)
        )

    return compare


def _holds(compare: Comparer, want: Any, have: Any) -> bool:
    found: list[str] = []
    compare(want, have, "", found)
    return not found


def _list_map(compare_item: Comparer, keys: tuple[str, ...]) -> Comparer:
    def key_of(item: Any) -> tuple[Any, ...]:
        return tuple(item.get(key, KEY_DEFAULTS.get(key)) for key in keys) if isinstance(item, dict) else (item,)

    def compare(want: Any, have: Any, path: str, found: list[str]) -> None:
        if _absent(want, have):
            return
        if not isinstance(want, list) or not isinstance(have, list):
            found.append(path)
            return
        held_by_key: dict[tuple[Any, ...], list[Any]] = {}
        for held in have:
            held_by_key.setdefault(key_of(held), []).append(held)
        taken: dict[tuple[Any, ...], int] = {}
        for wanted in want:
            key = key_of(wanted)
            candidates, index = held_by_key.get(key, ()), taken.get(key, 0)
            taken[key] = index + 1
            item_path = f"{path}[{','.join(f'{name}={value}' for name, value in zip(keys, key, strict=False))}]"
            if index >= len(candidates):
                found.append(item_path)
            elif candidates[index] != wanted:
                compare_item(wanted, candidates[index], item_path, found)

    return compare


def _generic(want: Any, have: Any, path: str, found: list[str]) -> None:
    """Compares what no type describes."""
    if want == have or _absent(want, have):
        return
    if isinstance(want, dict) and isinstance(have, dict):
        for key, wanted in want.items():
            held = have.get(key, _MISSING)
            if held is _MISSING or held != wanted:
                _generic(wanted, held, _step(path, key), found)
    elif isinstance(want, list) and isinstance(have, list) and len(want) == len(have):
        for index, (wanted, held) in enumerate(zip(want, have, strict=True)):
            _generic(wanted, held, f"{path}[{index}]", found)
    else:
        found.append(path)
