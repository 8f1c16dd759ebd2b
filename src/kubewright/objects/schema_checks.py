"""The parts of a schema that constrain a value: bounds, defaults and rules, checked against the type."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from kubewright.errors import KubewrightError
from kubewright.objects.annotations import ModelField
from kubewright.objects.jsontree import JsonObject
from kubewright.objects.markers import Rule


class UnfitConstraint(KubewrightError):
    """A constraint that does not apply to the type it stands on; becomes a SchemaError with the path."""


class UnfitDefault(KubewrightError):
    """A default that cannot stand in a schema; becomes a SchemaError with the path."""


_LENGTHS = {
    "string": ("minLength", "maxLength"),
    "array": ("minItems", "maxItems"),
    "object": ("minProperties", "maxProperties"),
}
_NOT_RE2 = re.compile(r"\(\?(=|!|<=|<!|P=|\()|\\[1-9]|\\Z|\(\?>|[+*?}]\+")


def constraints(made: JsonObject, meta: msgspec.Meta) -> JsonObject:
    """What ``meta`` adds to the schema ``made``.

    Raises:
        UnfitConstraint: a bound does not apply to the type, or a pattern is not RE2.
    """
    either = bool(made.get("x-kubernetes-int-or-string"))
    kind = made.get("type")
    numeric = either or kind in ("integer", "number")
    added: JsonObject = {}

    def number(name: str, value: object, key: str, exclusive: str = "") -> None:
        if value is None:
            return
        if not numeric:
            raise UnfitConstraint(f"Meta({name}=…) is for numbers", hint="use min_length and max_length for sizes")
        added[key] = value
        if exclusive:
            added[exclusive] = True

    number("ge", meta.ge, "minimum")
    number("gt", meta.gt, "minimum", "exclusiveMinimum")
    number("le", meta.le, "maximum")
    number("lt", meta.lt, "maximum", "exclusiveMaximum")
    number("multiple_of", meta.multiple_of, "multipleOf")
    lengths = _LENGTHS.get("string" if either else str(kind))
    for index, (name, length) in enumerate((("min_length", meta.min_length), ("max_length", meta.max_length))):
        if length is None:
            continue
        if lengths is None:
            raise UnfitConstraint(
                f"Meta({name}=…) is for strings, lists and maps", hint="use ge and le for numbers"
            )
        added[lengths[index]] = length
    if meta.pattern is not None:
        added["pattern"] = _pattern(meta.pattern, fits=either or kind == "string")
    if meta.title is not None:
        added["title"] = meta.title
    if meta.description is not None:
        added["description"] = meta.description
    if meta.examples:
        added["example"] = msgspec.to_builtins(meta.examples[0])
    if meta.extra_json_schema:
        added.update(meta.extra_json_schema)
    return added


def _pattern(pattern: str, *, fits: bool) -> str:
    if not fits:
        raise UnfitConstraint("Meta(pattern=…) is for strings")
    if found := _NOT_RE2.search(pattern):
        raise UnfitConstraint(
            f"the pattern {pattern!r} uses {found.group()!r}, which the API server's RE2 does not have",
            hint="write it without look-around, back references and possessive quantifiers, or use a Rule",
        )
    return pattern


def default_of(field: ModelField) -> tuple[bool, Any]:
    """Whether the field has a default that a schema can say, and that default as JSON.

    Raises:
        UnfitDefault: the default does not fit the field's type, or is another one each time.
    """
    if field.default_factory is not msgspec.NODEFAULT:
        default, again = field.default_factory(), field.default_factory()
        if default != again:
            raise UnfitDefault(
                "the default is another one each time, which a CRD schema cannot say",
                hint="make it None and choose the value in the controller",
            )
    elif field.default is msgspec.NODEFAULT or field.default is None:
        return False, None
    else:
        default = field.default
    plain = msgspec.to_builtins(default)
    try:
        msgspec.convert(plain, type=field.annotation, strict=True)
    except msgspec.ValidationError as error:
        raise UnfitDefault(f"the default does not fit: {error}", hint="give a default that fits, or none") from None
    return True, plain


def validations(rules: Sequence[Rule]) -> list[JsonObject]:
    """Rules as ``x-kubernetes-validations`` says them."""
    made = []
    for rule in rules:
        one: JsonObject = {"rule": rule.rule}
        if rule.message:
            one["message"] = rule.message
        if rule.message_expression:
            one["messageExpression"] = rule.message_expression
        if rule.reason:
            one["reason"] = rule.reason
        if rule.field_path:
            one["fieldPath"] = rule.field_path
        if rule.optional_old_self:
            one["optionalOldSelf"] = True
        made.append(one)
    return made
