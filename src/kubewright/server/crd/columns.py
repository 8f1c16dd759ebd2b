"""Printer columns: what ``additionalPrinterColumns`` show of a custom resource."""

from __future__ import annotations

import json
from typing import Any

from kubewright.objects import JsonObject
from kubewright.server.builtin.printers.text import age
from kubewright.server.crd.jsonpath import BadPath, find
from kubewright.server.registry import NAME_COLUMN, Cell, Column, TableColumns

_AGE: JsonObject = {
    "name": "Age",
    "type": "date",
    "description": (
        "CreationTimestamp is a timestamp representing the server time when this object was created. It is not "
        "guaranteed to be set in happens-before order across separate operations. Clients may not set this value. "
        "It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. "
        "More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata"
    ),
    "jsonPath": ".metadata.creationTimestamp",
}


def printer_columns(version: JsonObject) -> list[JsonObject]:
    """The columns of a CRD's version: those it names, or the age."""
    return version.get("additionalPrinterColumns") or [_AGE]


def table_columns(columns: list[JsonObject]) -> TableColumns:
    """As a Table declares them, the name in front."""
    declared = [
        Column(
            column["name"],
            type=column["type"],
            format=column.get("format", ""),
            description=column.get("description") or _described(column),
            priority=column.get("priority", 0),
        )
        for column in columns
    ]
    return [NAME_COLUMN, *declared]


def _described(column: JsonObject) -> str:
    return f"Custom resource definition column (in JSONPath format): {column['jsonPath']}"


def cells(columns: list[JsonObject], obj: JsonObject) -> list[Cell]:
    """The row of ``obj``."""
    row: list[Cell] = [obj["metadata"].get("name")]
    for column in columns:
        try:
            value = find(column["jsonPath"], obj)
        except BadPath:
            value = None
        row.append(None if value is None else _cell(column["type"], value))
    return row


def _cell(kind: str, value: Any) -> Cell:
    if kind == "string":
        return _printed(value)
    if kind == "date":
        return age(value) if isinstance(value, str) else None
    if kind == "boolean":
        return value if isinstance(value, bool) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if kind == "integer" else float(value)


def _printed(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False, sort_keys=True)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
