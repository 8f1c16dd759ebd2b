"""Does a value fit its schema: what the merge library says of an applied configuration that does not."""

from __future__ import annotations

from typing import Any

from kubewright.server.apply.atoms import Atom
from kubewright.server.apply.fieldset import element_text
from kubewright.server.apply.typed import ListItemProblem, item_element
from kubewright.server.gotext import display, quote


def problems(atom: Atom, value: Any, path: str = "", *, duplicates_allowed: bool = False) -> list[str]:
    """Where ``value`` does not fit the schema, in the merge library's words."""
    kind = atom.handled_as(atom.chosen(value))
    if value is None:
        return []
    if kind == "map":
        return _map_problems(atom, value, path, duplicates_allowed=duplicates_allowed)
    if kind == "list":
        return _list_problems(atom, value, path, duplicates_allowed=duplicates_allowed)
    return _scalar_problems(atom, value, path)


def _at(path: str, message: str) -> str:
    return f"{path}: {message}" if path else message


def _map_problems(atom: Atom, value: Any, path: str, *, duplicates_allowed: bool) -> list[str]:
    described = atom.map
    if described is None or not isinstance(value, dict):
        return [_at(path, f"expected map, got &{{{_go_value(value)}}}")]
    found: list[str] = []
    for key, inner in value.items():
        below = f"{path}.{key}"
        inner_atom = described.field(key)
        if inner_atom is None:
            found.append(f"{below}: field not declared in schema")
            return found
        found.extend(problems(inner_atom, inner, below, duplicates_allowed=duplicates_allowed))
    return found


def _list_problems(atom: Atom, value: Any, path: str, *, duplicates_allowed: bool) -> list[str]:
    listed = atom.list
    if listed is None or not isinstance(value, list):
        return [_at(path, f"expected list, got &{{{_go_value(value)}}}")]
    found: list[str] = []
    seen: set[str] = set()
    for index, item in enumerate(value):
        shown = f"[{index}]"
        if not listed.atomic:
            try:
                element = item_element(listed, item)
            except ListItemProblem as problem:
                found.append(_at(path, f"element {index}: {problem}"))
                return found
            shown = element_text(element)
            if element in seen and not duplicates_allowed:
                found.append(_at(path, f"duplicate entries for key {shown}"))
            seen.add(element)
        found.extend(problems(listed.element, item, path + shown, duplicates_allowed=duplicates_allowed))
    return found


def _scalar_problems(atom: Atom, value: Any, path: str) -> list[str]:
    scalar = atom.scalar
    is_bool = isinstance(value, bool)
    if scalar == "numeric" and (is_bool or not isinstance(value, (int, float))):
        return [_at(path, f"expected numeric (int or float), got {_go_type(value)}")]
    if scalar == "string" and not isinstance(value, str):
        return [_at(path, f"expected string, got &value.valueUnstructured{{Value:{_go_syntax(value)}}}")]
    if scalar == "boolean" and not is_bool:
        return [_at(path, f"expected boolean, got &{{{_go_value(value)}}}")]
    if scalar == "untyped" and isinstance(value, (dict, list)):
        return [_at(path, f"expected any scalar, got &{{{_go_value(value)}}}")]
    return []


def _go_type(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "string"
    return "map[string]interface {}" if isinstance(value, dict) else "[]interface {}"


def _go_value(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "[" + " ".join(map(_go_value, value)) + "]"
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{_go_value(value[key])}" for key in sorted(value)) + "]"
    return "<nil>" if value is None else display(value)


def _go_syntax(value: Any) -> str:
    if isinstance(value, dict):
        inner = ", ".join(f"{quote(key)}:{_go_syntax(value[key])}" for key in sorted(value))
        return f"map[string]interface {{}}{{{inner}}}"
    if isinstance(value, list):
        return "[]interface {}{" + ", ".join(map(_go_syntax, value)) + "}"
    return "interface {}(nil)" if value is None else display(value)
