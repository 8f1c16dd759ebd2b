"""Expressions made ready for the library: every field path that a rule names becomes a variable of its own type.

The library knows no object types. Where a rule says ``self.spec.size``, a variable of that very name and of the
field's type is declared (CEL resolves the longest name first), so that wrong types are refused when the rule is
compiled and times reach the rule as times. ``has(self.…)`` must ask the object itself, under another name of the
same length.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from kubewright.server.schema.cel.environment import BadExpression, type_word
from kubewright.server.schema.cel.literals import problem_at
from kubewright.server.schema.cel.macros import blanked, expand
from kubewright.server.schema.cel.values import escape, scalar_to_cel, to_cel
from kubewright.server.schema.model import Schema

_CHAIN = re.compile(r"(?<![\w.])(self|oldSelf)((?:\.[A-Za-z_]\w*)+)(\s*\()?")
_HAS = re.compile(r"\bhas\(\s*(self|oldSelf)(?=\.)")
_STAND_INS = {"self": "__sf", "oldSelf": "__oldSf"}

Variables = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Expression:
    """One expression over ``self`` and ``oldSelf``, for one node of a schema.

    Attributes:
        text: what is compiled.
        variables: names and types.
        paths: each path that is a variable, the name it begins with, its fields, and the schema of the last.
    """

    text: str
    variables: Variables = ()
    paths: list[tuple[str, str, tuple[str, ...], Schema]] = field(default_factory=list)


def prepare(source: str, schema: Schema, names: tuple[str, ...]) -> Expression:
    """Find the paths in ``source``; ``names`` are those of ``self`` and ``oldSelf`` that hold a plain value.

    Raises:
        BadExpression: a path names a field that the schema does not have.
    """
    bare = blanked(source)
    problems: list[str] = []
    paths: dict[str, tuple[str, str, tuple[str, ...], Schema]] = {}
    for chain in _CHAIN.finditer(bare):
        name = chain.group(1)
        steps = chain.group(2)[1:].split(".")
        called = chain.group(3) is not None
        _walk(source, bare, chain, name, steps[:-1] if called else steps, schema, paths, problems)
    if problems:
        raise BadExpression("compilation failed: " + "\n".join(problems))
    kept = [path for path in paths.values() if path[1] in names]
    text = source
    for found in reversed(list(_HAS.finditer(bare))):
        if found.group(1) in names:
            text = text[: found.start(1)] + _STAND_INS[found.group(1)] + text[found.end(1) :]
    whole = type_word(schema)
    variables = [(name, whole) for name in names] + [(_STAND_INS[name], whole) for name in names]
    variables.extend((path[0], type_word(path[3])) for path in kept)
    return Expression(expand(text), tuple(sorted(set(variables))), kept)


def _walk(
    source: str,
    bare: str,
    chain: re.Match[str],
    name: str,
    steps: list[str],
    schema: Schema,
    paths: dict[str, tuple[str, str, tuple[str, ...], Schema]],
    problems: list[str],
) -> None:
    node = schema
    fields: list[str] = []
    at = chain.start(2)
    for step in steps:
        if node.type != "object" or node.additional_properties is not None or node.int_or_string:
            return
        found = next((key for key in node.properties if escape(key) == step), None)
        if found is None:
            opened = bare[: chain.start()].rstrip()
            column = len(opened) if opened.endswith("has(") else at + 1
            problems.append(problem_at(source, column, f"undefined field '{step}'"))
            return
        node = node.properties[found]
        fields.append(found)
        at += len(step) + 1
        path = ".".join([name, *(escape(key) or "" for key in fields)])
        paths[path] = (path, name, tuple(fields), node)


def bindings(expression: Expression, schema: Schema, values: dict[str, Any]) -> dict[str, Any]:
    """The variables' values, for the values of ``self`` and ``oldSelf``."""
    data: dict[str, Any] = {}
    for name, value in values.items():
        seen = scalar_to_cel(value, schema)
        data[name] = seen
        data[_STAND_INS[name]] = seen
    for path, name, fields, node in expression.paths:
        value = values.get(name)
        for key in fields:
            value = value.get(key, _ABSENT) if isinstance(value, dict) else _ABSENT
            if value is _ABSENT:
                break
        if value is _ABSENT or value is None:
            continue
        try:
            data[path] = scalar_to_cel(value, node)
        except ValueError:
            data[path] = to_cel(value, node)
    return data


_ABSENT: Any = object()
