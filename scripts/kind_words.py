"""The words of generated kinds: Python names of wire names, docstrings of descriptions."""

from __future__ import annotations

import keyword
import re
import textwrap

WIDTH = 116

NAMES = {"openAPIV3Schema": "open_api_v3_schema"}
# Names that would hide a word the annotations and defaults are written with.
WORDS = {"bool", "bytes", "dict", "field", "float", "int", "list", "str"}


def snake(wire: str) -> str:
    """The Python name: ``clusterIPs`` is ``cluster_ips``."""
    if wire in NAMES:
        return NAMES[wire]
    words = re.findall(r"[A-Z]{2,}s(?![a-z])|[A-Z]+\d*(?![a-z])|[A-Z]?[a-z0-9]+", wire)
    name = "_".join(words).lower()
    return f"{name}_" if keyword.iskeyword(name) or name in WORDS else name


def camel(name: str) -> str:
    """What ``rename="camel"`` of msgspec makes of a field's name."""
    first, *rest = re.split(r"_(?=[a-z0-9])", name)
    return first + "".join(word[:1].upper() + word[1:] for word in rest)


def sentences(description: str, limit: int) -> str:
    """The description, or as many whole sentences of it as fit into ``limit`` characters (one at least)."""
    text = " ".join(description.split())
    if len(text) <= limit:
        return text
    parts = re.split(r"(?<=[.!?:;]) (?=[A-Z`'\"(*])", text)
    kept = parts[0]
    for part in parts[1:]:
        if len(kept) + 1 + len(part) > limit:
            break
        kept += " " + part
    return textwrap.shorten(kept, 2 * limit, placeholder=" …")


def docstring(description: str, indent: str, limit: int) -> list[str]:
    text = sentences(description, limit).replace("\\", "\\\\").replace('"""', "'''")
    if text.endswith('"'):
        text += "."
    if len(indent) + len(text) + 6 <= WIDTH:
        return [f'{indent}"""{text}"""']
    if "\n" not in text:
        lines = textwrap.wrap(text, WIDTH - len(indent) - 3, break_long_words=False, break_on_hyphens=False)
        return [f'{indent}"""{lines[0]}', *(f"{indent}{line}" for line in lines[1:]), f'{indent}"""']
    raise AssertionError(text)
