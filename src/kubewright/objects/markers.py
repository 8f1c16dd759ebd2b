"""What a type says beyond Python's words: list kinds, quantities, rules. Each goes inside ``Annotated``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, TypeAlias


@dataclass(frozen=True, slots=True)
class ListMap:
    """A list whose items are told apart by ``keys`` (wire names): ``x-kubernetes-list-type: map``."""

    keys: tuple[str, ...]

    def __init__(self, *keys: str) -> None:
        object.__setattr__(self, "keys", keys)


@dataclass(frozen=True, slots=True)
class ListSet:
    """A list of distinct scalars: ``x-kubernetes-list-type: set``."""


@dataclass(frozen=True, slots=True)
class Atomic:
    """A list, map or struct that one field manager owns as a whole: list, map or struct type ``atomic``."""


@dataclass(frozen=True, slots=True)
class QuantityMarker:
    """A quantity: compared by value (``0.5`` is ``500m``)."""


@dataclass(frozen=True, slots=True)
class IntOrStringMarker:
    """An integer or a string: ``x-kubernetes-int-or-string: true``."""


@dataclass(frozen=True, slots=True)
class PreserveUnknown:
    """Fields no type describes are kept: ``x-kubernetes-preserve-unknown-fields: true``."""


@dataclass(frozen=True, slots=True)
class EmbeddedResource:
    """A whole object with its own apiVersion, kind and metadata: ``x-kubernetes-embedded-resource: true``."""


@dataclass(frozen=True, slots=True)
class Nullable:
    """The field accepts an explicit null: ``nullable: true``."""


@dataclass(frozen=True, slots=True)
class Format:
    """An OpenAPI ``format`` that the Python type does not imply: ``Format("int32")``, ``Format("byte")``."""

    name: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A CEL validation rule (``x-kubernetes-validations``) on a field, or on a type with :func:`rules`.

    Attributes:
        rule: the expression; ``self`` is the value, ``oldSelf`` the one before (a transition rule).
        message: what a person reads when it does not hold.
        message_expression: a CEL expression that makes the message.
        reason: FieldValueInvalid (default), FieldValueForbidden, FieldValueRequired or FieldValueDuplicate.
        field_path: the field the error names, relative to where the rule stands: ``.spec.ports``.
        optional_old_self: a transition rule that also runs where there was no value before.
    """

    rule: str
    message: str = ""
    message_expression: str = ""
    reason: str = ""
    field_path: str = ""
    optional_old_self: bool = False


Int32: TypeAlias = Annotated[int, Format("int32")]
"""An integer the API server holds in 32 bits."""

Int64: TypeAlias = Annotated[int, Format("int64")]
"""An integer the API server holds in 64 bits."""

Quantity: TypeAlias = Annotated[str | int, QuantityMarker()]
"""A fixed-point number with a suffix, ``500m`` or ``1Gi``; an integer may stand for itself."""

IntOrString: TypeAlias = Annotated[int | str, IntOrStringMarker()]
"""A port by number or by name, a count or a percentage."""
