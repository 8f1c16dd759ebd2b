"""Validation of custom resources: OpenAPI, embedded objects, list types, then CEL rules."""

from __future__ import annotations

from kubewright.objects import JsonObject
from kubewright.server.fielderrors import ErrorType, FieldError
from kubewright.server.schema.correlation import Correlated
from kubewright.server.schema.listtypes import embedded_errors, list_errors
from kubewright.server.schema.model import Schema
from kubewright.server.schema.openapi import validate_openapi

_BLOCKING = frozenset(
    {
        ErrorType.NOT_SUPPORTED,
        ErrorType.REQUIRED,
        ErrorType.TOO_LONG,
        ErrorType.TOO_MANY,
        ErrorType.TYPE_INVALID,
    }
)
_NOT_CHECKED = (
    "some validation rules were not checked because the object was invalid; correct the existing errors to "
    "complete validation"
)


def validate(
    schema: Schema,
    obj: JsonObject,
    old: JsonObject | None = None,
    *,
    subresource: str = "",
    ratcheted: list[FieldError] | None = None,
) -> list[FieldError]:
    """What is wrong with a custom resource; its metadata is not looked at.

    With ``old`` it is an update: what did not change is not held against it (ratcheting, KEP-4008), and transition
    rules run. Rules that are let pass so are put into ``ratcheted``: the server warns of them. With
    ``subresource="status"`` the OpenAPI part sees the status alone.
    """
    correlated = None if old is None else Correlated(obj, old, schema)
    errors: list[FieldError] = []
    if subresource == "status":
        status = schema.field("status")
        if status is not None and "status" in obj:
            before = None if correlated is None else correlated.key("status")
            errors.extend(validate_openapi(status, obj["status"], before, "status"))
    else:
        errors.extend(validate_openapi(schema, obj, correlated, ""))
        errors.extend(embedded_errors(schema, obj))
    if old is None or not list_errors(schema, old):
        errors.extend(list_errors(schema, obj))
    if schema.has_rules:
        if any(error.type in _BLOCKING for error in errors):
            errors.append(FieldError("", ErrorType.INVALID, None, _NOT_CHECKED))
        else:
            from kubewright.server.schema.cel import rule_errors

            errors.extend(rule_errors(schema, obj, old, correlated, ratcheted))
    return errors


def rule_definition_errors(schema: Schema, path: str) -> list[FieldError]:
    """What is wrong with the CEL rules of a CustomResourceDefinition's schema; ``path`` is where that stands."""
    if not schema.has_rules:
        return []
    from kubewright.server.schema import cel

    return cel.rule_definition_errors(schema, path)
