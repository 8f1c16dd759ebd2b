"""Structural schemas: what a CustomResourceDefinition's schema must and must not say."""

from __future__ import annotations

from kubewright.objects import JsonObject
from kubewright.server import fielderrors
from kubewright.server.fielderrors import FieldError

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
    _walk(schema, path, errors, root=True)
    return errors


def _walk(schema: JsonObject, path: str, errors: list[FieldError], *, root: bool = False) -> None:
    kind = schema.get("type")
    any_type = schema.get("x-kubernetes-int-or-string") or schema.get("x-kubernetes-preserve-unknown-fields")
    if not kind:
        if root:
            errors.append(fielderrors.required(f"{path}.type", "must not be empty at the root"))
        elif not any_type:
            errors.append(fielderrors.required(f"{path}.type", "must not be empty for specified object fields"))
    elif root and kind != "object":
        errors.append(fielderrors.invalid(f"{path}.type", kind, "must be object at the root"))
    elif kind not in _TYPES:
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
    _list_type_errors(schema, path, errors)
    for name, inner in sorted((schema.get("properties") or {}).items()):
        if not (root and name in ("metadata", "apiVersion", "kind")):
            _walk(inner, f"{path}.properties[{name}]", errors)
    items = schema.get("items")
    if isinstance(items, dict):
        _walk(items, f"{path}.items", errors)
    additional = schema.get("additionalProperties")
    if isinstance(additional, dict):
        _walk(additional, f"{path}.additionalProperties", errors)


def _list_type_errors(schema: JsonObject, path: str, errors: list[FieldError]) -> None:
    list_type = schema.get("x-kubernetes-list-type")
    keys = schema.get("x-kubernetes-list-map-keys") or []
    if list_type and list_type not in ("atomic", "set", "map"):
        errors.append(
            fielderrors.not_supported(f"{path}.x-kubernetes-list-type", list_type, ["atomic", "map", "set"])
        )
    if list_type == "map" and not keys:
        detail = "must not be empty if x-kubernetes-list-type is map"
        errors.append(fielderrors.required(f"{path}.x-kubernetes-list-map-keys", detail))
    if list_type != "map" and keys:
        detail = "must be empty if x-kubernetes-list-type is not map"
        errors.append(fielderrors.forbidden(f"{path}.x-kubernetes-list-map-keys", detail))
