"""Reads a Python annotation: what the bare type is, what stands around it, and which fields a model has."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from enum import Enum
from functools import lru_cache
from typing import Annotated, Any, Literal, NamedTuple, TypeVar, Union

import msgspec

T = TypeVar("T")


class Reading(NamedTuple):
    """An annotation taken apart.

    Attributes:
        base: the type without ``Annotated`` and without ``None``; a union only where several types remain.
        extras: what stood in ``Annotated``, from the innermost outwards.
        optional: whether ``None`` was among the types.
    """

    base: Any
    extras: tuple[Any, ...]
    optional: bool

    def marker(self, kind: type[T]) -> T | None:
        """The outermost extra of this kind, or None."""
        for extra in reversed(self.extras):
            if isinstance(extra, kind):
                return extra
        return None


def read(annotation: Any) -> Reading:
    """Take ``annotation`` apart."""
    extras: tuple[Any, ...] = ()
    optional = False
    while True:
        origin = typing.get_origin(annotation)
        if origin is Annotated:
            extras = (*annotation.__metadata__, *extras)
            annotation = annotation.__origin__
        elif origin in (Union, types.UnionType):
            members = [member for member in typing.get_args(annotation) if member is not type(None)]
            optional = optional or len(members) < len(typing.get_args(annotation))
            if len(members) != 1:
                return Reading(Union[tuple(members)], extras, optional)  # noqa: UP007 - made at run time
            annotation = members[0]
        elif origin is Literal and None in typing.get_args(annotation):
            optional = True
            annotation = Literal[tuple(value for value in typing.get_args(annotation) if value is not None)]
        elif hasattr(annotation, "__supertype__"):
            annotation = annotation.__supertype__
        elif type(annotation).__name__ == "TypeAliasType":
            annotation = annotation.__value__
        else:
            return Reading(annotation, extras, optional)


class ModelField(NamedTuple):
    """A field of a model: its Python name, its name on the wire, its annotation and its default."""

    name: str
    wire: str
    annotation: Any
    default: object
    default_factory: Any

    @property
    def required(self) -> bool:
        """Whether the field has no default."""
        return self.default is msgspec.NODEFAULT and self.default_factory is msgspec.NODEFAULT


@lru_cache(maxsize=4096)
def model_fields(cls: type) -> Mapping[str, ModelField]:
    """The fields of a struct class by wire name, type variables resolved.

    Raises:
        NameError: an annotation names something that is not there.
    """
    return {
        info.encode_name: ModelField(info.name, info.encode_name, info.type, info.default, info.default_factory)
        for info in msgspec.structs.fields(cls)
    }


def is_model(base: object) -> bool:
    """Whether ``base`` is a struct class."""
    return isinstance(base, type) and issubclass(base, msgspec.Struct)


def is_enum(base: object) -> bool:
    """Whether ``base`` is an enumeration class."""
    return isinstance(base, type) and issubclass(base, Enum)


def type_name(annotation: Any) -> str:
    """How a person would write the annotation."""
    if isinstance(annotation, type) and not typing.get_args(annotation):
        return annotation.__name__
    return str(annotation).replace("typing.", "").lstrip("~")
