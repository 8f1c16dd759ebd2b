"""What Go's encoding/json says of JSON it cannot read."""

from __future__ import annotations

import json
from typing import Any

_SHOWN = 30
"""Characters of a body that an error message quotes."""


def syntax_error(body: bytes) -> str:
    """Why ``body`` is not JSON, in encoding/json's words."""
    text = body.decode("latin-1")
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        at = error.pos
        # Python points at where a value was expected, or at the beginning of a string that does not end.
        while at < len(text) and text[at] in " \t\r\n":
            at += 1
        if at >= len(text) or error.msg.startswith("Unterminated"):
            return "unexpected end of JSON input"
        return f"invalid character {_quoted(text[at])} {_expectation(error.msg, text[:at])}"
    return "invalid JSON"


def _expectation(message: str, before: str) -> str:
    if message.startswith("Expecting property name"):
        return "looking for beginning of object key string"
    if message.startswith("Expecting ':'"):
        return "after object key"
    if message.startswith("Expecting ','"):
        return "after object key:value pair" if _inside_object(before) else "after array element"
    if message.startswith("Extra data"):
        return "after top-level value"
    return "looking for beginning of value"


def _inside_object(before: str) -> bool:
    depth: list[str] = []
    in_string = escaped = False
    for char in before:
        if in_string:
            if not escaped and char == '"':
                in_string = False
            escaped = char == "\\" and not escaped
        elif char == '"':
            in_string = True
        elif char in "{[":
            depth.append(char)
        elif char in "}]" and depth:
            depth.pop()
    return bool(depth) and depth[-1] == "{"


def _quoted(char: str) -> str:
    if char == "'":
        return "'\\''"
    if char == '"':
        return "'\"'"
    if char.isprintable() and ord(char) < 0x80:
        return f"'{char}'"
    return f"'\\u{ord(char):04x}'"


def summary(body: bytes) -> str:
    """The beginning of a body, as apiserver quotes one that it does not recognise."""
    if not body:
        return "<empty>"
    if body[:1] == b"{":
        text = body.decode(errors="replace")
        return text if len(body) <= _SHOWN else f"{text[:_SHOWN]} ..."
    return body.hex() if len(body) <= _SHOWN else f"{body[:_SHOWN].hex()} ..."


def go_kind(value: Any) -> str:
    """What encoding/json calls the kind of ``value``."""
    if isinstance(value, dict):
        return "object"
    if isinstance(value, list):
        return "array"
    if isinstance(value, str):
        return "string"
    return "bool" if isinstance(value, bool) else "number"
