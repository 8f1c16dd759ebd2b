"""Field errors in the API server's words: ``spec.replicas: Invalid value: -1: must be greater than …``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from kubewright.server.gotext import display, quote


class ErrorType(Enum):
    """Why a field is refused: the ``reason`` of its cause, and the words its message begins with."""

    NOT_FOUND = ("FieldValueNotFound", "Not found")
    REQUIRED = ("FieldValueRequired", "Required value")
    DUPLICATE = ("FieldValueDuplicate", "Duplicate value")
    INVALID = ("FieldValueInvalid", "Invalid value")
    NOT_SUPPORTED = ("FieldValueNotSupported", "Unsupported value")
    FORBIDDEN = ("FieldValueForbidden", "Forbidden")
    TOO_LONG = ("FieldValueTooLong", "Too long")
    TOO_MANY = ("FieldValueTooMany", "Too many")
    TOO_FEW = ("FieldValueTooFew", "Too few")
    INTERNAL = ("InternalError", "Internal error")
    TYPE_INVALID = ("FieldValueTypeInvalid", "Invalid value")
    TOO_SHORT = ("FieldValueTooShort", "Too short")

    @property
    def reason(self) -> str:
        """The ``reason`` of a ``StatusCause``."""
        return self.value[0]

    @property
    def words(self) -> str:
        """What the message begins with."""
        return self.value[1]


OMITTED = object()
"""Stands for a bad value that the message leaves out."""

_WITHOUT_VALUE = frozenset(
    {ErrorType.REQUIRED, ErrorType.FORBIDDEN, ErrorType.TOO_LONG, ErrorType.TOO_SHORT, ErrorType.INTERNAL}
)


@dataclass(frozen=True, slots=True)
class FieldError:
    """One field and why it is refused.

    Attributes:
        path: as the API server writes it: ``spec.ports[0].name``; empty for the object itself.
        type: why.
        value: the bad value, shown unless the type leaves values out.
        detail: more words.
    """

    path: str
    type: ErrorType
    value: Any = OMITTED
    detail: str = ""

    @property
    def body(self) -> str:
        """The message without the path: what a ``StatusCause`` says."""
        text = self.type.words
        if self.type not in _WITHOUT_VALUE and self.value is not OMITTED:
            text = f"{text}: {display(self.value)}"
        return f"{text}: {self.detail}" if self.detail else text

    @property
    def message(self) -> str:
        """The whole message, path first."""
        return f"{self.path or '<nil>'}: {self.body}"

    def cause(self) -> dict[str, str]:
        """The entry of ``Status.details.causes``."""
        return {"reason": self.type.reason, "message": self.body, "field": self.path or "<nil>"}


def required(path: str, detail: str = "") -> FieldError:
    """A value is missing."""
    return FieldError(path, ErrorType.REQUIRED, "", detail)


def invalid(path: str, value: Any, detail: str) -> FieldError:
    """A value is malformed or out of bounds."""
    return FieldError(path, ErrorType.INVALID, value, detail)


def type_invalid(path: str, value: Any, detail: str) -> FieldError:
    """A value is of the wrong type."""
    return FieldError(path, ErrorType.TYPE_INVALID, value, detail)


def not_supported(path: str, value: Any, supported: Sequence[str]) -> FieldError:
    """A value is not one of those allowed."""
    detail = "supported values: " + ", ".join(map(quote, supported)) if supported else ""
    return FieldError(path, ErrorType.NOT_SUPPORTED, value, detail)


def forbidden(path: str, detail: str) -> FieldError:
    """A value is not permitted as things stand."""
    return FieldError(path, ErrorType.FORBIDDEN, "", detail)


def duplicate(path: str, value: Any, detail: str = "") -> FieldError:
    """A value that must be unique is there twice."""
    return FieldError(path, ErrorType.DUPLICATE, value, detail)


def not_found(path: str, value: Any) -> FieldError:
    """What a value refers to does not exist."""
    return FieldError(path, ErrorType.NOT_FOUND, value)


def too_long(path: str, limit: int, unit: str = "byte") -> FieldError:
    """A string exceeds ``limit`` bytes (or ``unit="character"``)."""
    plural = "" if limit == 1 else "s"
    return FieldError(path, ErrorType.TOO_LONG, OMITTED, f"may not be more than {limit} {unit}{plural}")


def too_short(path: str, value: str, limit: int) -> FieldError:
    """A string has fewer than ``limit`` characters."""
    plural = "" if limit == 1 else "s"
    return FieldError(path, ErrorType.TOO_SHORT, value, f"must be at least {limit} character{plural}")


def too_many(path: str, actual: int, limit: int) -> FieldError:
    """A list has more than ``limit`` items."""
    plural = "" if limit == 1 else "s"
    return FieldError(path, ErrorType.TOO_MANY, actual, f"must have at most {limit} item{plural}")


def too_few(path: str, actual: int, limit: int) -> FieldError:
    """A list has fewer than ``limit`` items."""
    plural = "" if limit == 1 else "s"
    return FieldError(path, ErrorType.TOO_FEW, actual, f"must have at least {limit} item{plural}")


def internal(path: str, detail: str) -> FieldError:
    """Validation itself failed."""
    return FieldError(path, ErrorType.INTERNAL, OMITTED, detail)


def aggregate(errors: Iterable[FieldError]) -> str:
    """All messages in one text: as they come, each once, in brackets if there are several."""
    messages = list(dict.fromkeys(error.message for error in errors))
    return messages[0] if len(messages) == 1 else f"[{', '.join(messages)}]"
