"""Rules checked when their CustomResourceDefinition is: do they compile, and say what they must."""

from __future__ import annotations

from kubewright.objects import JsonObject
from kubewright.server import fielderrors
from kubewright.server.fielderrors import FieldError
from kubewright.server.gotext import Verbatim, json_text
from kubewright.server.schema.cel.environment import BadExpression
from kubewright.server.schema.cel.rules import check_compiles, relative_path, uses_old_self
from kubewright.server.schema.cel.values import visible
from kubewright.server.schema.model import MaybeSchema, Schema

_REASONS = ("FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired")


def rule_definition_errors(schema: Schema, path: str) -> list[FieldError]:
    """What is wrong with the rules of a whole schema; ``path`` is where it stands in its CustomResourceDefinition.

    Costs are not estimated: a rule that the API server would call too dear is taken.
    """
    errors: list[FieldError] = []
    _check(schema, path, None, errors, root=True)
    return errors


def _check(schema: MaybeSchema, path: str, unrelated: str | None, errors: list[FieldError], *, root: bool) -> None:
    if schema is None or not schema.has_rules:
        return
    found: list[FieldError] = []
    for index, rule in enumerate(schema.validations):
        found.extend(_wording_errors(schema, rule, f"{path}.x-kubernetes-validations[{index}]", root=root))
    if not found:
        for index, rule in enumerate(schema.validations):
            where = f"{path}.x-kubernetes-validations[{index}]"
            found.extend(_expression_errors(schema, rule, where, unrelated, root=root))
    errors.extend(found)
    for name, prop in schema.properties.items():
        _check(prop, f"{path}.properties[{name}]", unrelated, errors, root=False)
    _check(schema.additional_properties, f"{path}.additionalProperties", unrelated, errors, root=False)
    if schema.items is not None:
        below = unrelated if unrelated is not None or schema.list_type == "map" else path
        _check(schema.items, f"{path}.items", below, errors, root=False)


def _wording_errors(schema: Schema, rule: JsonObject, path: str, *, root: bool) -> list[FieldError]:
    errors: list[FieldError] = []
    source, message = rule.get("rule", "").strip(), rule.get("message", "")
    if not source:
        errors.append(fielderrors.required(f"{path}.rule", "rule is not specified"))
    elif message and not message.strip():
        errors.append(fielderrors.invalid(f"{path}.message", message, "must be non-empty if specified"))
    elif "\n" in message.strip():
        errors.append(fielderrors.invalid(f"{path}.message", message, "must not contain line breaks"))
    elif "\n" in source and not message:
        words = "message must be specified if rule contains line breaks"
        errors.append(fielderrors.required(f"{path}.message", words))
    expression = rule.get("messageExpression", "")
    if expression and not expression.strip():
        words = "messageExpression must be non-empty if specified"
        errors.append(fielderrors.required(f"{path}.messageExpression", words))
    reason = rule.get("reason")
    if reason is not None and reason not in _REASONS:
        errors.append(fielderrors.not_supported(f"{path}.reason", reason, _REASONS))
    field_path = rule.get("fieldPath", "")
    if field_path:
        if not field_path.strip():
            errors.append(fielderrors.invalid(f"{path}.fieldPath", field_path, "must be non-empty if specified"))
        if "\n" in field_path:
            errors.append(fielderrors.invalid(f"{path}.fieldPath", field_path, "must not contain line breaks"))
        if relative_path(visible(schema, root=root), field_path) is None:
            errors.append(fielderrors.invalid(f"{path}.fieldPath", field_path, "must be a valid path"))
    return errors


def _expression_errors(
    schema: Schema, rule: JsonObject, path: str, unrelated: str | None, *, root: bool
) -> list[FieldError]:
    errors: list[FieldError] = []
    seen = visible(schema, root=root)
    optional = bool(rule.get("optionalOldSelf"))
    for name, result in (("rule", "bool"), ("messageExpression", "string")):
        if not rule.get(name):
            continue
        try:
            check_compiles(seen, rule[name], result, optional=optional)
        except BadExpression as bad:
            errors.append(fielderrors.invalid(f"{path}.{name}", _as_go_has_it(rule), str(bad)))
    if uses_old_self(rule["rule"]):
        if unrelated is not None:
            words = f"oldSelf cannot be used on the uncorrelatable portion of the schema within {unrelated}"
            errors.append(fielderrors.invalid(f"{path}.rule", rule["rule"], words))
    elif rule.get("optionalOldSelf") is not None:
        words = "may not be set if oldSelf is not used in rule"
        errors.append(fielderrors.invalid(f"{path}.optionalOldSelf", rule["optionalOldSelf"], words))
    return errors


def _as_go_has_it(rule: JsonObject) -> Verbatim:
    fields = {
        "Rule": rule["rule"],
        "Message": rule.get("message", ""),
        "MessageExpression": rule.get("messageExpression", ""),
        "Reason": rule.get("reason"),
        "FieldPath": rule.get("fieldPath", ""),
        "OptionalOldSelf": rule.get("optionalOldSelf"),
    }
    return Verbatim("{" + ",".join(f"{json_text(key)}:{json_text(value)}" for key, value in fields.items()) + "}")
