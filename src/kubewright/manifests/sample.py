"""A sample custom resource made from its schema: every required field, and the defaults worth showing."""

from __future__ import annotations

from typing import Any

from kubewright.objects import JsonObject, Object, schema_of

_BY_FORMAT = {
    "date-time": "2026-01-01T00:00:00Z",
    "date": "2026-01-01",
    "byte": "",
    "uuid": "0" * 8 + "-0000-0000" * 2,
}


def sample(cls: type[Object]) -> JsonObject:
    """A custom resource to begin with, ``<kind>-sample``; rules may ask for more than its schema says."""
    made: JsonObject = {
        "apiVersion": cls.api_version,
        "kind": cls.kind,
        "metadata": {"name": f"{cls.kind.lower()}-sample"},
    }
    spec = schema_of(cls)["properties"].get("spec")
    return made if spec is None else {**made, "spec": _value(spec)}


def _value(schema: JsonObject) -> Any:
    for given in ("example", "default"):
        if given in schema:
            return schema[given]
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "object":
            required = schema.get("required", ())
            return {
                name: _value(field)
                for name, field in schema.get("properties", {}).items()
                if name in required or field.get("default") not in (None, [], {})
            }
        case "array":
            return [_value(schema["items"])] * max(1, schema.get("minItems", 1))
        case "integer" | "number":
            return schema.get("minimum", 0) + (1 if schema.get("exclusiveMinimum") else 0)
        case "boolean":
            return False
        case "string":
            return _BY_FORMAT.get(schema.get("format", ""), "TODO"[: schema.get("maxLength", 4)])
    return 0 if schema.get("x-kubernetes-int-or-string") else {}
