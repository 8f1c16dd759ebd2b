"""The struct every model is made of."""

from __future__ import annotations

import copy
from collections.abc import Callable
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
        annotations = namespace.get("__annotations__", {})
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
