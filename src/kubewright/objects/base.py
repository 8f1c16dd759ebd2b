"""The struct every model is made of."""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, dataclass_transform

import msgspec
from msgspec import field

__all__ = ["Model", "ModelMeta", "field"]

_FieldConfig = type(field())


def _constant(value: object) -> Callable[[], object]:
    return lambda: value


def _copied(value: object) -> Callable[[], object]:
    return lambda: copy.deepcopy(value)


def _factory(value: object) -> Callable[[], object] | None:
    """What makes the default ``value`` anew, or None where msgspec's own handling is right (None, empty)."""
    if isinstance(value, str | int | float | bytes | Enum):
        return _constant(value)
    if isinstance(value, msgspec.Struct) or (isinstance(value, list | dict) and value):
        return _copied(value)
    return None


def _default(value: object) -> object:
    if isinstance(value, _FieldConfig):
        inner = _factory(value.default)
        return value if inner is None else field(default_factory=inner, name=value.name)
    made = _factory(value)
    return value if made is None else field(default_factory=made)


def _annotations(namespace: dict[str, Any]) -> Mapping[str, object]:
    if sys.version_info >= (3, 14):  # annotations are made when asked for (PEP 749)
        import annotationlib

        if annotate := annotationlib.get_annotate_from_class_namespace(namespace):
            return annotationlib.call_annotate_function(annotate, annotationlib.Format.FORWARDREF)
    found: Mapping[str, object] = namespace.get("__annotations__", {})
    return found


@dataclass_transform(kw_only_default=True, field_specifiers=(field,))
class ModelMeta(msgspec.StructMeta):
    """Makes keyword-only structs with camel-cased wire names that send zeros and leave None out.

    msgspec leaves a field out when its value *is* the default. A scalar default is therefore handed over as a
    factory, so that ``size: int = 1`` is sent as ``1`` while ``image: str | None = None`` is not sent at all.
    A struct, list or dict given as a default is copied for each instance.
    """

    def __new__(mcls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **config: Any) -> ModelMeta:
        """Make the class; ``config`` is msgspec's."""
        config.setdefault("kw_only", True)
        config.setdefault("omit_defaults", True)
        config.setdefault("rename", "camel")
        annotations = _annotations(namespace)
        for attribute, value in list(namespace.items()):
            annotation = annotations.get(attribute)
            if annotation is not None and "ClassVar" not in str(annotation):
                namespace[attribute] = _default(value)
        made: ModelMeta = super().__new__(mcls, name, bases, namespace, **config)
        return made


# mypy takes the mark of the nearest base before a metaclass's, and msgspec.Struct carries one of its own.
@dataclass_transform(kw_only_default=True, field_specifiers=(field,))
class Model(msgspec.Struct, metaclass=ModelMeta):
    """The base of every part of an object: a keyword-only struct whose None fields are not sent."""
