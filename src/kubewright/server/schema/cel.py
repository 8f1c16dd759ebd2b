"""CEL rules of custom resources (``x-kubernetes-validations``)."""

from __future__ import annotations

from kubewright.objects.jsontree import JsonObject
from kubewright.server.fielderrors import FieldError
from kubewright.server.schema.correlation import Correlated
from kubewright.server.schema.model import Schema


def rule_errors(
    schema: Schema, obj: JsonObject, old: JsonObject | None, correlated: Correlated | None
) -> list[FieldError]:
    """The rules that do not hold."""
    raise NotImplementedError("CEL rules")
