"""Decodes raw objects into their types."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, TypeVar

import msgspec

from kubewright.errors import DecodeError
from kubewright.objects.model import Object
from kubewright.objects.raw import RawObject

ObjectT = TypeVar("ObjectT", bound=Object)


@lru_cache(maxsize=1024)
def _decoder(type_: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(type_)


def prepare_decoding(type: type[Object]) -> None:  # noqa: A002
    """Make now what :func:`decode` needs: ten milliseconds for a type that holds Pods, too long on a busy loop."""
    _decoder(type)


def decode(raw: RawObject, type: type[ObjectT]) -> ObjectT:  # noqa: A002
    """A typed view of ``raw``, made anew each time: changing it changes nothing else.

    Raises:
        DecodeError: the object does not fit the type; the message names the object and the field.
    """
    try:
        decoded: ObjectT = _decoder(type).decode(raw.raw)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at `")
        path = where.rstrip("`").removeprefix("$").removeprefix(".") or "the object itself"
        raise DecodeError(
            f"{raw.kind or type.__name__} {raw.key} does not fit {type.__name__} at {path}: {what}",
            hint="correct the object, or let the type accept what is stored",
        ) from None
    except msgspec.DecodeError as error:
        raise DecodeError(f"{raw.kind or type.__name__} {raw.key} is not JSON: {error}") from None
    return decoded
