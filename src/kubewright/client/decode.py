"""From bytes to objects: typed ones by their class's decoder, all others kept as bytes with their head decoded."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Generic, TypeVar

import msgspec

from kubewright.errors import DecodeError
from kubewright.objects import ApiResource, Object, RawObject

T_co = TypeVar("T_co", covariant=True)
ObjectT = TypeVar("ObjectT", bound=Object)

Kind = type[ObjectT] | ApiResource
Decode = Callable[[bytes | msgspec.Raw], T_co]


class Target(Generic[T_co]):
    """What a request is about: the resource that serves it, and how its objects are decoded."""

    __slots__ = ("decode", "resource")

    def __init__(self, resource: ApiResource, decode: Decode[T_co]) -> None:
        self.resource = resource
        self.decode = decode


def typed(cls: type[ObjectT]) -> Target[ObjectT]:
    """Objects of ``cls``."""
    return Target(cls.api_resource, _typed_decode(cls))


def raw(resource: ApiResource) -> Target[RawObject]:
    """Objects of ``resource`` as :class:`RawObject`."""
    api_version, kind = resource.api_version, resource.kind

    def decode(data: bytes | msgspec.Raw) -> RawObject:
        try:
            # A copy: a slice would keep the whole page it came in.
            return RawObject(bytes(data), api_version=api_version, kind=kind)
        except msgspec.DecodeError as error:
            raise DecodeError(f"the server's answer is not a {kind} of {api_version}: {error}") from error

    return Target(resource, decode)


@lru_cache(maxsize=1024)
def _typed_decode(cls: type[ObjectT]) -> Decode[ObjectT]:
    decoder = msgspec.json.Decoder(cls)

    def decode(data: bytes | msgspec.Raw) -> ObjectT:
        try:
            return decoder.decode(data)
        except msgspec.DecodeError as error:
            raise _undecodable(cls, bytes(data), error) from error

    return decode


def _undecodable(cls: type[Object], data: bytes, error: msgspec.DecodeError) -> DecodeError:
    try:
        name = f" {RawObject(data).key}"
    except msgspec.DecodeError:
        name = ""
    return DecodeError(
        f"{cls.kind}{name} of {cls.api_version} does not fit {cls.__module__}.{cls.__qualname__}: {error}",
        hint="the type and what the server stores differ: read it as RawObject, or widen the type",
    )
