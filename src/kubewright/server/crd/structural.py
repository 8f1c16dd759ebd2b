"""Structural schemas: what a CustomResourceDefinition's schema must and must not say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from kubewright.objects import JsonObject
from kubewright.server import fielderrors
from kubewright.server.fielderrors import FieldError
from kubewright.server.schema import (
    BadPattern,
    compile_pattern,
    from_crd,
    rule_definition_errors,
    validate,
)

_TYPES = ("array", "boolean", "integer", "number", "object", "string")


def schema_errors(schema: JsonObject, path: str, *, status: bool) -> list[FieldError]:
    """What is wrong with the schema of a version.

    Args:
        schema: of the whole object.
        path: where it stands.
        status: the version has a status subresource.
    """
    errors: list[FieldError] = []
    if schema.get("nullable"):
        errors.append(fielderrors.forbidden(f"{path}.nullable", "nullable cannot be true at the root"))
    kind = schema.get("type")
    if status and kind and kind != "object":
        detail = (
            'only "object" is allowed as the type at the root of the schema if the status subresource is enabled'
        )
        errors.append(fielderrors.invalid(f"{path}.type", kind, detail))
    _walk(schema, path, errors)
    if not kind:
        errors.append(fielderrors.required(f"{path}.type", "must not be empty at the root"))
    elif kind != "object":
        errors.append(fielderrors.invalid(f"{path}.type", kind, "must be object at the root"))
    _require_types(schema, path, errors, root=True)
    if not errors:
        _default_errors(schema, path, errors)
        errors += rule_definition_errors(from_crd(schema), path)
    return errors


def _default_errors(schema: JsonObject, path: str, errors: list[FieldError]) -> None:
    default = schema.get("default")
    if default is not None:
        # Validated as the one field of an object; Kubernetes gives it no name.
        found = validate(from_crd({"type": "object", "properties": {"x": schema}}), {"x": default})
        for error in found:
            where = error.path.removeprefix("x")
            detail = error.detail.replace(f"{error.path} in body", f"{where.removeprefix('.')} in body")
            errors.append(replace(error, path=f"{path}.default{where}", detail=detail))
    for where, inner in _inner(schema, path):
        _default_errors(inner, where, errors)


def _walk(schema: JsonObject, path: str, errors: list[FieldError]) -> None:
    kind = schema.get("type")
    if kind and kind not in _TYPES:
        errors.append(fielderrors.not_supported(f"{path}.type", kind, _TYPES))
    if schema.get("uniqueItems"):
        detail = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        errors.append(fielderrors.forbidden(f"{path}.uniqueItems", detail))
    unsupported = ("definitions", "dependencies", "$ref", "id", "patternProperties")
    errors += [
        fielderrors.forbidden(f"{path}.{word}", f"{word} is not supported")
        for word in unsupported
        if schema.get(word)
    ]
    if schema.get("properties") and schema.get("additionalProperties") not in (None, False):
        detail = "additionalProperties and properties are mutual exclusive"
        errors.append(fielderrors.forbidden(f"{path}.additionalProperties", detail))
    if kind == "array" and not schema.get("items"):
        errors.append(fielderrors.required(f"{path}.items", "must be specified"))
    if pattern := schema.get("pattern"):
        try:
            compile_pattern(pattern)
        except BadPattern as bad:
            detail = f"must be a valid regular expression, but isn't: {bad}"
            errors.append(fielderrors.invalid(f"{path}.pattern", pattern, detail))
    _list_type_errors(schema, path, errors)
    for where, inner in _inner(schema, path):
        _walk(inner, where, errors)


def _inner(schema: JsonObject, path: str) -> Iterator[tuple[str, JsonObject]]:
    for name, inner in sorted((schema.get("properties") or {}).items()):
        yield f"{path}.properties[{name}]", inner
    if isinstance(schema.get("items"), dict):
        yield f"{path}.items", schema["items"]
    if isinstance(schema.get("additionalProperties"), dict):
        yield f"{path}.additionalProperties", schema["additionalProperties"]


def _require_types(schema: JsonObject, path: str, errors: list[FieldError], *, root: bool = False) -> None:
    any_type = schema.get("x-kubernetes-int-or-string") or schema.get("x-kubernetes-preserve-unknown-fields")
    if not root and not schema.get("type") and not any_type:
        detail = "must not be empty for specified object fields"
        if path.endswith(".items"):
            detail = "must not be empty for specified array items"
        errors.append(fielderrors.required(f"{path}.type", detail))
    for where, inner in _inner(schema, path):
        if not (root and where.endswith(("[metadata]", "[apiVersion]", "[kind]"))):
            _require_types(inner, where, errors)


def _list_type_errors(schema: JsonObject, path: str, errors: list[FieldError]) -> None:
    list_type = schema.get("x-kubernetes-list-type")
    keys = schema.get("x-kubernetes-list-map-keys") or []
    if list_type and list_type not in ("atomic", "set", "map"):
        errors.append(
            fielderrors.not_supported(f"{path}.x-kubernetes-list-type", list_type, ["atomic", "set", "map"])
        )
    if list_type == "map" and not keys:
        detail = "must not be empty if x-kubernetes-list-type is map"
        errors.append(fielderrors.required(f"{path}.x-kubernetes-list-map-keys", detail))
    if list_type != "map" and keys:
        detail = "must be empty if x-kubernetes-list-type is not map"
        errors.append(fielderrors.forbidden(f"{path}.x-kubernetes-list-map-keys", detail))
    items = schema.get("items")
    if list_type == "map" and isinstance(items, dict) and items.get("type") != "object":
        detail = "must be object if parent array's x-kubernetes-list-type is map"
        errors.append(fielderrors.invalid(f"{path}.items.type", items.get("type", ""), detail))
