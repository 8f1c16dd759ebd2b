"""What CEL sees of a JSON value: names escaped, numbers and formats as the schema has them."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from kubewright.objects import JsonObject
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
_TYPE_AND_NAME: JsonObject = {
    "apiVersion": {"type": "string"},
    "kind": {"type": "string"},
    "metadata": {"type": "object", "properties": {"name": {"type": "string"}, "generateName": {"type": "string"}}},
}


@lru_cache(maxsize=4096)
def escape(name: str) -> str | None:
    """A field's name as rules write it (``foo__dot__bar``), or None if no rule can name it."""
    if name in _RESERVED:
        return f"__{name}__"
    escaped = _ESCAPED.sub(lambda found: _ESCAPES[found.group()], name)
    return escaped if _IDENTIFIER.match(escaped) else None


@lru_cache(maxsize=4096)
def visible(schema: Schema, *, root: bool = False) -> Schema:
    """The node as rules see it: the root and embedded objects show their type, name and generateName."""
    if not root and not schema.embedded_resource:
        return schema
    properties = {**(schema.node.get("properties") or {}), **_TYPE_AND_NAME}
    return Schema(
        {**schema.node, "type": "object", "properties": properties, "x-kubernetes-embedded-resource": False}
    )


def to_cel(value: Any, schema: MaybeSchema) -> Any:
    """The value as CEL's Python binding takes it; times and durations stay strings."""
    if schema is None:
        return value
    if isinstance(value, dict):
        schema = visible(schema)
        if schema.properties:
            return _object_to_cel(value, schema)
        items = schema.additional_properties
        if items is None:
            return {}
        return {key: to_cel(inner, items) for key, inner in value.items()}
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


def _object_to_cel(value: Mapping[str, Any], schema: Schema) -> dict[str, Any]:
    """Only what the schema describes is seen; a null counts as absent."""
    seen: dict[str, Any] = {}
    for name, inner in value.items():
        described = schema.properties.get(name)
        if described is None or inner is None:
            continue
        escaped = escape(name)
        if escaped is not None:
            seen[escaped] = to_cel(inner, described)
    return seen


def scalar_to_cel(value: Any, schema: Schema) -> Any:
    """A value that stands alone as a variable: times and durations are Python's.

    Raises:
        ValueError: the string is no time or duration.
    """
    if schema.type != "string" or not isinstance(value, str):
        return to_cel(value, schema)
    if schema.format == "date":
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    if schema.format in ("date-time", "datetime"):
        return datetime.fromisoformat(value)
    if schema.format == "duration":
        return _duration(value)
    return to_cel(value, schema)


_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)")


def _duration(text: str) -> timedelta:
    parts = _PART.findall(text)
    if not parts and text != "0":
        raise ValueError(f"{text!r} is no duration")
    seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
    return timedelta(seconds=-seconds if text.startswith("-") else seconds)


def stamps_in_collections(schema: Schema) -> bool:
    """A time or duration stands in a list or map below, where no variable of its own can hold it."""
    collected = [child for child in (schema.items, schema.additional_properties) if child is not None]
    if any(has_stamps(child) for child in collected):
        return True
    return any(stamps_in_collections(child) for child in schema.properties.values())


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
                continue
            if inner is None:
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
