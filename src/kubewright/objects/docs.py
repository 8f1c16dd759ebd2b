"""What a class says of itself and its fields: its docstring, its ``Attributes:``, the strings below its fields."""

from __future__ import annotations

import ast
import inspect
import itertools
import re
import textwrap
from collections.abc import Mapping
from typing import NamedTuple


class ClassDocs(NamedTuple):
    """The paragraphs of a docstring before its first section, and what is said of each attribute."""

    text: str
    fields: Mapping[str, str]


_SECTION = re.compile(r"^(Attributes|Args|Raises|Returns|Examples?|Notes?|See Also):\s*$")
_ATTRIBUTE = re.compile(r"^\s+(\w+)(?:\s*\([^)]*\))?:\s*(.*)$")


def describe(cls: type) -> ClassDocs:
    """What ``cls`` itself says, not what it inherits; strings below fields need its source to be there."""
    text, fields = _docstring(inspect.cleandoc(cls.__dict__.get("__doc__") or ""))
    return ClassDocs(text, {**fields, **_below_fields(cls)})


def _docstring(doc: str) -> tuple[str, dict[str, str]]:
    text: list[str] = []
    fields: dict[str, str] = {}
    section = ""
    indent = 0
    last = ""
    for line in doc.splitlines():
        if found := _SECTION.match(line):
            section, last = found.group(1), ""
        elif not section:
            text.append(line)
        elif line and not line.startswith(" "):
            section = ""
            text.append(line)
        elif section == "Attributes" and line.strip():
            depth = len(line) - len(line.lstrip())
            found = _ATTRIBUTE.match(line)
            if found and (not last or depth <= indent):
                indent, last = depth, found.group(1)
                fields[last] = found.group(2)
            elif last:
                fields[last] = f"{fields[last]} {line.strip()}".strip()
    return "\n".join(text).strip(), fields


def _below_fields(cls: type) -> dict[str, str]:
    try:
        (definition,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
    except (OSError, TypeError, SyntaxError, ValueError):
        return {}
    body = definition.body if isinstance(definition, ast.ClassDef) else []
    return {
        field.target.id: inspect.cleandoc(below.value.value)
        for field, below in itertools.pairwise(body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(below, ast.Expr)
        and isinstance(below.value, ast.Constant)
        and isinstance(below.value.value, str)
    }
