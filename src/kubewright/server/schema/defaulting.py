"""Filling in a custom resource's defaults."""

from __future__ import annotations

from typing import Any

from kubewright.objects import JsonObject, copy_json
from kubewright.server.schema.model import MaybeSchema, Schema


def apply_defaults(schema: Schema, obj: JsonObject, *, applied: bool = False) -> None:
    """Give every absent field its default, in place.

    A null in a field that takes none becomes the default, or is dropped if there is none; in a list, and in what
    an apply made (``applied``), it stays for validation to refuse.
    """
    if not applied:
        _drop_nulls(obj, schema)
    if schema.has_defaults:
        _fill(obj, schema)


def _drop_nulls(value: Any, schema: MaybeSchema) -> None:
    if isinstance(value, dict):
        for key in list(value):
            inner = value[key]
            described = None if schema is None else schema.field(key)
            if inner is None:
                if described is not None and not described.nullable and described.default is None:
                    del value[key]
            elif isinstance(inner, (dict, list)):
                _drop_nulls(inner, described)
    elif isinstance(value, list):
        items = None if schema is None else schema.items
        for item in value:
            if isinstance(item, (dict, list)):
                _drop_nulls(item, items)


def _refused_null(value: Any, schema: MaybeSchema) -> bool:
    return value is None and schema is not None and not schema.nullable


def _fill(value: Any, schema: Schema) -> None:
    if isinstance(value, dict):
        properties, additional = schema.properties, schema.additional_properties
        for key, prop in properties.items():
            if prop.default is not None and (key not in value or _refused_null(value[key], prop)):
                value[key] = copy_json(prop.default)
        for key in value:
            described = properties.get(key)
            if described is None:
                if additional is None:
                    continue
                if _refused_null(value[key], additional):
                    value[key] = copy_json(additional.default)
                described = additional
            if isinstance(value[key], (dict, list)):
                _fill(value[key], described)
    elif isinstance(value, list) and schema.items is not None:
        for index, item in enumerate(value):
            if _refused_null(item, schema.items):
                value[index] = copy_json(schema.items.default)
            if isinstance(value[index], (dict, list)):
                _fill(value[index], schema.items)
