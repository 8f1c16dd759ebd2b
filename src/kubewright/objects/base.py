"""The struct every model is made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, dataclass_transform

import msgspec
from msgspec import field

__all__ = ["Model", "ModelMeta", "field"]


def _constant(value: object) -> Callable[[], object]:
    return lambda: value


@dataclass_transform(kw_only_default=True, field_specifiers=(field,))
class ModelMeta(msgspec.StructMeta):
    """Makes keyword-only structs with camel-cased wire names that send zeros and leave None out.

    msgspec leaves a field out when its value *is* the default. A scalar default is therefore handed over as a
    factory, so that ``size: int = 1`` is sent as ``1`` while ``image: str | None = None`` is not sent at all.
    """

    def __new__(mcls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **config: Any) -> ModelMeta:
        """Make the class; ``config`` is msgspec's."""
        config.setdefault("kw_only", True)
        config.setdefault("omit_defaults", True)
        config.setdefault("rename", "camel")
        annotations = namespace.get("__annotations__", {})
        for attribute, value in list(namespace.items()):
            annotation = annotations.get(attribute)
            if annotation is None or "ClassVar" in str(annotation):
                continue
            if isinstance(value, str | int | float):
                namespace[attribute] = field(default_factory=_constant(value))
        made: ModelMeta = super().__new__(mcls, name, bases, namespace, **config)
        return made


# mypy takes the mark of the nearest base before a metaclass's, and msgspec.Struct carries one of its own.
@dataclass_transform(kw_only_default=True, field_specifiers=(field,))
class Model(msgspec.Struct, metaclass=ModelMeta):
    """The base of every part of an object: a keyword-only struct whose None fields are not sent."""
