"""Running the rules of a schema (``x-kubernetes-validations``) over an object, as KEP-2876 says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from kubewright.objects import JsonObject
from kubewright.server import fielderrors
from kubewright.server.fielderrors import OMITTED, FieldError
from kubewright.server.schema.cel.environment import BadExpression, EvaluationFailed, compiled, evaluate
from kubewright.server.schema.cel.expressions import Expression, Variables, bindings, prepare
from kubewright.server.schema.cel.literals import check_literals
from kubewright.server.schema.cel.values import stamped, stamps_in_collections, to_cel, visible
from kubewright.server.schema.correlation import Correlated
from kubewright.server.schema.model import MaybeSchema, Schema

MAX_MESSAGE_BYTES = 5 * 1024
"""A messageExpression's result longer than this is not used."""

_USES_OLD = re.compile(r"(?<![\w.'\"])oldSelf\b")


@dataclass(slots=True)
class _Ratchet:
    """What is known of the value before: exactly (``here``), or of the nearest parent that correlates."""

    here: Correlated | None
    parent: Correlated | None
    let_off: list[FieldError]

    @property
    def unchanged(self) -> bool:
        if self.here is not None:
            return self.here.unchanged
        return self.parent is not None and self.parent.unchanged

    def key(self, name: str) -> _Ratchet:
        if self.here is None:
            return self
        if self.parent is None and name in ("apiVersion", "kind"):
            return _Ratchet(None, None, self.let_off)
        return _Ratchet(self.here.key(name), self.here, self.let_off)

    def index(self, position: int) -> _Ratchet:
        return self if self.here is None else _Ratchet(self.here.index(position), self.here, self.let_off)


def rule_errors(
    schema: Schema,
    obj: JsonObject,
    old: JsonObject | None,
    correlated: Correlated | None,
    ratcheted: list[FieldError] | None = None,
) -> list[FieldError]:
    """The rules that do not hold, or could not be run; into ``ratcheted``, those an unchanged value is let off."""
    errors: list[FieldError] = []
    let_off = [] if ratcheted is None else ratcheted
    _check(schema, obj, old, "", _Ratchet(correlated, None, let_off), errors, root=True)
    return errors


def uses_old_self(rule: str) -> bool:
    """The rule is a transition rule."""
    return bool(_USES_OLD.search(rule))


def _check(
    schema: MaybeSchema,
    value: Any,
    old: Any,
    path: str,
    ratchet: _Ratchet,
    errors: list[FieldError],
    *,
    root: bool = False,
) -> None:
    if schema is None or value is None or not schema.has_rules:
        return
    if schema.validations:
        _check_rules(schema, value, old, path, ratchet, errors, root=root)
    if isinstance(value, list):
        before = _by_keys(schema, old)
        for index, item in enumerate(value):
            was = before.get(_keys(schema, item)) if before else None
            _check(schema.items, item, was, f"{path}[{index}]", ratchet.index(index), errors)
    elif isinstance(value, dict):
        previous = old if isinstance(old, dict) else {}
        additional = schema.additional_properties
        for key, inner in value.items():
            if additional is not None:
                _check(additional, inner, previous.get(key), f"{path}[{key}]", ratchet.key(key), errors)
            prop = schema.properties.get(key)
            if prop is not None:
                below = f"{path}.{key}" if path else key
                _check(prop, inner, previous.get(key), below, ratchet.key(key), errors)


def _keys(schema: Schema, item: Any) -> tuple[Any, ...]:
    return tuple(repr(item.get(key)) for key in schema.list_map_keys) if isinstance(item, dict) else ()


def _by_keys(schema: Schema, old: Any) -> dict[tuple[Any, ...], Any]:
    if schema.list_type != "map" or not isinstance(old, list):
        return {}
    return {_keys(schema, item): item for item in old}


def _check_rules(
    schema: Schema, value: Any, old: Any, path: str, ratchet: _Ratchet, errors: list[FieldError], *, root: bool
) -> None:
    seen = visible(schema, root=root)
    for rule in schema.validations:
        transition = uses_old_self(rule["rule"])
        optional = bool(rule.get("optionalOldSelf"))
        if transition and old is None and not optional:
            continue
        try:
            if evaluated(seen, rule["rule"], "bool", value, old, optional=optional):
                continue
        except BadExpression as bad:
            errors.append(fielderrors.invalid(path, schema.type, f"rule compile error: {bad}"))
            continue
        except EvaluationFailed as failed:
            errors.append(fielderrors.invalid(path, schema.type, _failure_words(str(failed), rule)))
            continue
        detail = _message(seen, rule, value, old)
        shown = OMITTED if seen.type in ("object", "array") else value
        where = path + (relative_path(seen, rule.get("fieldPath", "")) or "")
        failure = _failed(where if path else where.removeprefix("."), rule.get("reason", ""), shown, detail)
        (ratchet.let_off if not transition and ratchet.unchanged else errors).append(failure)


def _failed(path: str, reason: str, value: Any, detail: str) -> FieldError:
    if reason == "FieldValueForbidden":
        return fielderrors.forbidden(path, detail)
    if reason == "FieldValueRequired":
        return fielderrors.required(path, detail)
    if reason == "FieldValueDuplicate":
        return fielderrors.duplicate(path, value)
    return fielderrors.invalid(path, value, detail)


_STEP = re.compile(r"\.([^.\[\]]+)|\['((?:[^'\\]|\\.)*)'\]")


def relative_path(schema: Schema, field_path: str) -> str | None:
    """A rule's ``fieldPath`` as errors write it, or None if the schema has no such field."""
    node: MaybeSchema = schema
    written, at = "", 0
    while at < len(field_path):
        step = _STEP.match(field_path, at)
        if step is None or node is None:
            return None
        name = step.group(1) if step.group(1) is not None else re.sub(r"\\(.)", r"\1", step.group(2))
        if name in node.properties:
            written, node = f"{written}.{name}", node.properties[name]
        elif not node.properties and node.additional_properties is not None:
            written, node = f"{written}[{name}]", node.additional_properties
        else:
            return None
        at = step.end()
    return written


def evaluated(schema: Schema, source: str, result: str, value: Any, old: Any, *, optional: bool) -> Any:
    """What an expression gives for ``self`` and, where it is spoken of, ``oldSelf``.

    Raises:
        BadExpression: it does not compile.
        EvaluationFailed: it has no value.
    """
    transition = uses_old_self(source)
    if stamps_in_collections(schema):
        return _evaluated_stamped(schema, source, result, value, old, optional=optional)
    plain = transition and not optional
    expression = prepared(schema, source, plain)
    given = {"self": value, "oldSelf": old} if plain else {"self": value}
    data = bindings(expression, schema, given)
    text, variables = expression.text, expression.variables
    if transition and optional:
        text, variables = _with_optional_old(text, variables, known=old is not None)
        if old is not None:
            data["__old"] = to_cel(old, schema)
    return evaluate(compile_checked(text, variables, result), data)


_MIXED_NUMBERS = re.compile(r"'_(?:<|<=|>|>=)_' applied to '\((?:int|double|uint), (?:int|double|uint)\)'")


def compile_checked(text: str, variables: Variables, result: str) -> Any:
    """Compile; where numbers of two kinds are compared, which Kubernetes allows, their kinds are left open.

    Raises:
        BadExpression: it does not compile.
    """
    try:
        return compiled(text, variables, result)
    except BadExpression as bad:
        if not _MIXED_NUMBERS.search(str(bad)):
            raise
    opened = tuple((name, re.sub(r"\b(?:int|double)\b", "dyn", word)) for name, word in variables)
    return compiled(text, opened, result)


def _with_optional_old(text: str, variables: Variables, *, known: bool) -> tuple[str, Variables]:
    before = "optional.of(__old)" if known else "optional.none()"
    whole = dict(variables)["self"]
    return f"cel.bind(oldSelf, {before}, {text})", ((*variables, ("__old", whole)) if known else variables)


def check_compiles(schema: Schema, source: str, result: str, *, optional: bool) -> None:
    """Compile an expression as it will be run.

    Raises:
        BadExpression: it does not compile; the message is that of a CustomResourceDefinition's refusal.
    """
    transition = uses_old_self(source)
    expression = prepared(schema, source, transition and not optional)
    check_literals(source)
    text, variables = expression.text, expression.variables
    if transition and optional:
        text, variables = _with_optional_old(text, variables, known=True)
    compile_checked(text, variables, result)


def prepared(schema: Schema, source: str, plain_old: bool) -> Expression:
    """The expression with its variables, prepared once for each node."""
    made: dict[tuple[str, bool], Expression] = schema.__dict__.setdefault("_cel_expressions", {})
    found = made.get((source, plain_old))
    if found is None:
        names = ("self", "oldSelf") if plain_old else ("self",)
        found = made[source, plain_old] = prepare(source, schema, names)
    return found


def _evaluated_stamped(schema: Schema, source: str, result: str, value: Any, old: Any, *, optional: bool) -> Any:
    """The same where times stand in lists or maps: the expression puts ``self`` together, untyped."""
    text = f"cel.bind(self, {stamped(value, schema, '__self')}, {source})"
    variables = [("__self", "dyn")]
    data = {"__self": to_cel(value, schema)}
    if uses_old_self(source):
        before = "optional.none()"
        if old is not None:
            before = stamped(old, schema, "__old")
            before = f"optional.of({before})" if optional else before
            variables.append(("__old", "dyn"))
            data["__old"] = to_cel(old, schema)
        text = f"cel.bind(oldSelf, {before}, {text})"
    return evaluate(compiled(text, tuple(variables), result), data)


def _failure_words(failure: str, rule: JsonObject) -> str:
    said = (rule.get("message") or rule["rule"]).strip()
    if failure.startswith("no such overload"):
        words = "call arguments did not match a supported operator, function or macro signature for rule"
        return f"'{failure}': {words}: {said}"
    return f"{failure} evaluating rule: {said}"


def _message(schema: Schema, rule: JsonObject, value: Any, old: Any) -> str:
    expression = rule.get("messageExpression")
    if expression:
        optional = bool(rule.get("optionalOldSelf"))
        try:
            text = evaluated(schema, expression, "string", value, old, optional=optional)
        except (BadExpression, EvaluationFailed):
            text = None
        if isinstance(text, str):
            text = text.strip()
            if text and "\n" not in text and len(text.encode()) <= MAX_MESSAGE_BYTES:
                return text
    message = rule.get("message")
    return message.strip() if message else f"failed rule: {rule['rule'].strip()}"
