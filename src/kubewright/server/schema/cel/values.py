"""What CEL sees of a JSON value: names escaped, numbers and formats as the schema has them."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from kubewright.server.schema.model import MaybeSchema, Schema

_RESERVED = frozenset(
    {
        *("true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if"),
        *("import", "let", "loop", "package", "namespace", "return", "var", "void", "while"),
    }
)
_ESCAPES = {"__": "__underscores__", ".": "__dot__", "-": "__dash__", "/": "__slash__"}
_ESCAPED = re.compile(r"__|[.\-/]")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_STAMPS = ("date-time", "datetime", "date", "duration")
_META = ("apiVersion", "kind")


@lru_cache(maxsize=4096)
def escape(name: str) -> str | None:
    """A field's name as rules write it (``foo__dot__bar``), or None if no rule can name it."""
    if name in _RESERVED:
        return f"__{name}__"
    escaped = _ESCAPED.sub(lambda found: _ESCAPES[found.group()], name)
    return escaped if _IDENTIFIER.match(escaped) else None


def is_whole_object(schema: Schema, *, root: bool) -> bool:
    """The node is an object of its own: rules see its type, name and generateName."""
    return root or schema.embedded_resource


def to_cel(value: Any, schema: MaybeSchema, *, root: bool = False) -> Any:
    """The value as CEL's Python binding takes it; times and durations stay strings (see :func:`stamped`)."""
    if schema is None:
        return value
    if isinstance(value, dict):
        if schema.properties or is_whole_object(schema, root=root):
            return _object_to_cel(value, schema, root=root)
        items = schema.additional_properties
        return value if items is None else {key: to_cel(inner, items) for key, inner in value.items()}
    if isinstance(value, list):
        return [to_cel(item, schema.items) for item in value]
    if schema.type == "number" and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if schema.type == "string" and schema.format == "byte" and isinstance(value, str):
        try:
            return base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            return value
    return value


def _object_to_cel(value: Mapping[str, Any], schema: Schema, *, root: bool) -> dict[str, Any]:
    seen: dict[str, Any] = {}
    whole = is_whole_object(schema, root=root)
    for name, inner in value.items():
        if whole and name == "metadata":
            seen[name] = {
                key: inner[key] for key in ("name", "generateName") if isinstance(inner, dict) and key in inner
            }
            continue
        described = schema.properties.get(name)
        if described is None:
            if whole and name in _META:
                seen[name] = inner
            elif schema.preserve_unknown:
                pass  # rules see only what the schema describes
            continue
        if inner is None and not described.nullable:
            continue
        escaped = escape(name)
        if escaped is not None:
            seen[escaped] = to_cel(inner, described)
    return seen


@lru_cache(maxsize=4096)
def has_stamps(schema: Schema) -> bool:
    """A time, date or duration stands here or below."""
    if schema.type == "string" and schema.format in _STAMPS:
        return True
    children = [*schema.properties.values()]
    children.extend(child for child in (schema.items, schema.additional_properties) if child is not None)
    return any(has_stamps(child) for child in children)


def stamped(value: Any, schema: Schema, path: str) -> str:
    """A CEL expression for the value at ``path`` with its times and durations made of their strings.

    The binding takes no time inside a map, so the expression puts the map together.
    """
    if not has_stamps(schema) or value is None:
        return path
    if isinstance(value, dict):
        parts = []
        for name, inner in value.items():
            described = schema.field(name)
            key = name if schema.additional_properties is not None else escape(name)
            if described is None or key is None:
                if name in (*_META, "metadata") and not schema.properties.get(name):
                    parts.append(f"{_literal(name)}: dyn({path}[{_literal(name)}])")
                continue
            if inner is None and not described.nullable:
                continue
            parts.append(f"{_literal(key)}: dyn({stamped(inner, described, f'{path}[{_literal(key)}]')})")
        return "{" + ", ".join(parts) + "}"
    if isinstance(value, list):
        items = schema.items
        return (
            "["
            + ", ".join(
                f"dyn({stamped(item, items, f'{path}[{i}]') if items else f'{path}[{i}]'})"
                for i, item in enumerate(value)
            )
            + "]"
        )
    if schema.format == "duration":
        return f"duration({path})"
    return f'timestamp({path} + "T00:00:00Z")' if schema.format == "date" else f"timestamp({path})"


def _literal(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
