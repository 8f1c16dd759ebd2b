"""JSON as Python's own values, for the rooms that must handle objects of any shape.

These are the one place where ``Any`` stands for "whatever came over the wire".
"""

from __future__ import annotations

from typing import Any, TypeAlias

JsonObject: TypeAlias = dict[str, Any]
"""A JSON object, decoded."""

JsonValue: TypeAlias = Any
"""Any JSON value, decoded."""
