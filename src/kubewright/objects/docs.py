"""What a class's docstring says: its text, and its ``Attributes:`` by name."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from typing import NamedTuple


class ClassDocs(NamedTuple):
    """A docstring taken apart: paragraphs before the first section, and what each attribute is."""

    text: str
    fields: Mapping[str, str]


_SECTION = re.compile(r"^(Attributes|Args|Raises|Returns|Examples?|Notes?|See Also):\s*$")
_ATTRIBUTE = re.compile(r"^\s+(\w+)(?:\s*\([^)]*\))?:\s*(.*)$")


def describe(cls: type) -> ClassDocs:
    """The docstring of ``cls`` itself, not an inherited one."""
    lines = inspect.cleandoc(cls.__dict__.get("__doc__") or "").splitlines()
    text: list[str] = []
    fields: dict[str, str] = {}
    section = ""
    indent = 0
    last = ""
    for line in lines:
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
    return ClassDocs("\n".join(text).strip(), fields)
