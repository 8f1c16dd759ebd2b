"""The defaults the API server sets on built-in kinds.

Go registers a defaulting function for a type; it is run wherever the type occurs, an outer object's before
those of what it holds. The same here, over objects already in the shape of their Go types.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from kubewright.objects import JsonObject
from kubewright.server.builtin.defaults.core import CORE, pull_policy
from kubewright.server.builtin.defaults.groups import GROUPS
from kubewright.server.builtin.shapes import fields_of

__all__ = ["apply_defaults", "pull_policy"]

_DEFAULTERS = {f"core/v1.{name}": function for name, function in CORE.items()} | GROUPS


def apply_defaults(obj: JsonObject, type_name: str) -> None:
    """Set, in place, the defaults of ``obj`` and of all that it holds."""
    _visit(obj, type_name)


def _visit(value: JsonObject, type_name: str) -> None:
    defaulter, inner = _plan(type_name)
    if defaulter is not None:
        defaulter(value)
    for name, layers, inner_type in inner:
        if name in value:
            _descend(value[name], layers, inner_type)


def _descend(value: Any, layers: str, type_name: str) -> None:
    if value is None:
        return
    if not layers:
        _visit(value, type_name)
        return
    for item in value if layers[0] == "[" else value.values():
        _descend(item, layers[1:], type_name)


@cache
def _plan(type_name: str) -> tuple[Callable[[JsonObject], None] | None, tuple[tuple[str, str, str], ...]]:
    """The type's own defaulter, and its fields that lead to types with defaulters."""
    inner = []
    for name, described in fields_of(type_name).items():
        layers, mark, held = described.partition("#")
        if mark and _leads_to_defaults(held):
            inner.append((name, layers.replace("*", ""), held))
    return _DEFAULTERS.get(type_name), tuple(inner)


@cache
def _leads_to_defaults(type_name: str) -> bool:
    return bool(_reachable(type_name, set()) & _DEFAULTERS.keys())


def _reachable(type_name: str, seen: set[str]) -> set[str]:
    if type_name not in seen:
        seen.add(type_name)
        for described in fields_of(type_name).values():
            _, mark, held = described.partition("#")
            if mark:
                _reachable(held, seen)
    return seen
