"""The CEL string functions of Kubernetes (cel-go's strings extension, version 2)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from kubewright.server.gotext import QUOTE_ESCAPES, float_text

_VERB = re.compile(r"%(?:\.(\d+))?(.?)", re.DOTALL)
_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_UPPER = {code: code - 32 for code in range(ord("a"), ord("z") + 1)}


def char_at(text: str, at: int) -> str:
    """The character at a position; empty at the very end."""
    if at < 0 or at > len(text):
        raise ValueError(f"index out of range: {at}")
    return text[at : at + 1]


def index_of(text: str, part: str, start: int = 0) -> int:
    """Where ``part`` first stands, from ``start`` on, or -1."""
    if start < 0 or start > len(text):
        raise ValueError(f"index out of range: {start}")
    return text.find(part, start)


def last_index_of(text: str, part: str, start: int | None = None) -> int:
    """Where ``part`` last stands, beginning at ``start`` or before, or -1."""
    if start is None:
        return text.rfind(part)
    if start < 0 or start > len(text):
        raise ValueError(f"index out of range: {start}")
    return text.rfind(part, 0, start + len(part))


def join(items: list[str], separator: str = "") -> str:
    """The items with ``separator`` between them."""
    return separator.join(items)


def replace(text: str, old: str, new: str, limit: int = -1) -> str:
    """``old`` replaced, at most ``limit`` times."""
    return text.replace(old, new, limit)


def split(text: str, separator: str, limit: int = -1) -> list[str]:
    """The parts between separators, at most ``limit`` of them."""
    if limit == 0:
        return []
    if separator == "":
        parts = list(text)
        return parts if limit < 0 or len(parts) <= limit else [*parts[: limit - 1], "".join(parts[limit - 1 :])]
    return text.split(separator) if limit < 0 else text.split(separator, limit - 1)


def substring(text: str, start: int, end: int | None = None) -> str:
    """The characters from ``start`` up to ``end``."""
    stop = len(text) if end is None else end
    if start < 0 or start > len(text):
        raise ValueError(f"index out of range: {start}")
    if stop < 0 or stop > len(text):
        raise ValueError(f"index out of range: {stop}")
    if start > stop:
        raise ValueError(f"invalid substring range. start: {start}, end: {stop}")
    return text[start:stop]


def quote(text: str) -> str:
    """The text as a literal."""
    return '"' + "".join(QUOTE_ESCAPES.get(char, char) for char in text) + '"'


def format_text(template: str, arguments: list[Any]) -> str:
    """``%s``, ``%d``, ``%f``, ``%e``, ``%b``, ``%o``, ``%x`` and ``%X``, with cel-go's spelling of values."""
    remaining = iter(arguments)
    used = 0

    def put(found: re.Match[str]) -> str:
        nonlocal used
        precision, verb = found.groups()
        if verb == "%":
            return "%"
        try:
            value = next(remaining)
        except StopIteration:
            raise ValueError(f"index {used} out of range") from None
        used += 1
        return _formatted(verb, value, 6 if precision is None else int(precision))

    return _VERB.sub(put, template)


def _formatted(verb: str, value: Any, precision: int) -> str:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if verb == "s":
        return _shown(value)
    if verb == "d" and number:
        return _shown(value)
    if verb in "fe" and number:
        return f"{float(value):.{precision}{verb}}"
    if verb == "b" and isinstance(value, int):
        return format(int(value), "b")
    if verb == "o" and isinstance(value, int):
        return format(int(value), "o")
    if verb in "xX":
        raw = value.encode() if isinstance(value, str) else value
        shown = raw.hex() if isinstance(raw, bytes) else format(int(raw), "x")
        return shown.upper() if verb == "X" else shown
    raise ValueError(f"error during formatting: unrecognized formatting clause {verb!r}")


def _shown(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return float_text(value)
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, list):
        return "[" + ", ".join(map(_shown, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_shown(key)}: {_shown(value[key])}" for key in sorted(value)) + "}"
    return str(value)


def declarations() -> list[tuple[str, bool, list[str], str, Callable[..., Any]]]:
    """Every function, as :func:`kubewright.server.schema.cel.functions.declarations` has them."""
    return [
        ("charAt", True, ["string", "int"], "string", char_at),
        ("indexOf", True, ["string", "string"], "int", index_of),
        ("indexOf", True, ["string", "string", "int"], "int", index_of),
        ("lastIndexOf", True, ["string", "string"], "int", last_index_of),
        ("lastIndexOf", True, ["string", "string", "int"], "int", last_index_of),
        ("join", True, ["strings"], "string", join),
        ("join", True, ["strings", "string"], "string", join),
        ("lowerAscii", True, ["string"], "string", lambda text: text.translate(_LOWER)),
        ("upperAscii", True, ["string"], "string", lambda text: text.translate(_UPPER)),
        ("replace", True, ["string", "string", "string"], "string", replace),
        ("replace", True, ["string", "string", "string", "int"], "string", replace),
        ("split", True, ["string", "string"], "strings", split),
        ("split", True, ["string", "string", "int"], "strings", split),
        ("substring", True, ["string", "int"], "string", substring),
        ("substring", True, ["string", "int", "int"], "string", substring),
        ("trim", True, ["string"], "string", str.strip),
        ("strings.quote", False, ["string"], "string", quote),
        ("format", True, ["string", "list"], "string", format_text),
    ]
