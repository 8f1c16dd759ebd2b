"""The bases of every typed object: built-in kinds and custom resources.

Wire names are the camel case of the Python names (``node_port`` is ``nodePort``) unless a field says otherwise
(``cluster_ip: str | None = field(name="clusterIP", default=None)``). None is never sent; zeros, empty strings
and false are.
"""

from __future__ import annotations

from typing import Any, ClassVar, Generic, TypeVar

import msgspec

from kubewright.objects.base import Model, field
from kubewright.objects.gvk import ApiResource, ObjectKey
from kubewright.objects.jsontree import JsonObject
from kubewright.objects.meta import ObjectMeta

SpecT = TypeVar("SpecT")
StatusT = TypeVar("StatusT")
ObjectT = TypeVar("ObjectT", bound="Object")


class Object(Model):
    """The base of every object with metadata of its own; its class knows the resource that serves it.

    ``api_version`` and ``kind`` are the class's, not the instance's: :func:`to_json` and :func:`to_dict` put
    them in front, and decoding ignores them.
    """

    api_resource: ClassVar[ApiResource]
    api_version: ClassVar[str]
    kind: ClassVar[str]
    micro_times: ClassVar[tuple[tuple[str, ...], ...]] = ()
    """Where a ``MicroTime`` stands in it, in wire names: ``(("spec", "renewTime"),)``."""
    nested_kinds: ClassVar[tuple[tuple[tuple[str, ...], str, str], ...]] = ()
    """Where a list of whole objects stands in it, with their apiVersion and kind, which are sent too."""

    metadata: ObjectMeta = field(default_factory=ObjectMeta)

    @property
    def key(self) -> ObjectKey:
        """Namespace and name."""
        return ObjectKey(self.metadata.namespace or "", self.metadata.name or "")


class Spec(Model):
    """The base of what a custom resource asks for, and of the parts of it."""


class Status(Model):
    """The base of what a custom resource reports."""


class Resource(Object, Generic[SpecT, StatusT]):
    """The base of custom resources: ``class AppService(Resource[AppServiceSpec, AppServiceStatus])``."""

    spec: SpecT
    status: StatusT | None = None


def serves(
    cls: type[ObjectT],
    resource: ApiResource,
    *,
    micro_times: tuple[tuple[str, ...], ...] = (),
    nested_kinds: tuple[tuple[tuple[str, ...], str, str], ...] = (),
) -> type[ObjectT]:
    """Tell ``cls`` which resource serves it. Generated kinds and ``@resource`` call this."""
    cls.api_resource = resource
    cls.api_version = resource.api_version
    cls.kind = resource.kind
    cls.micro_times = micro_times
    cls.nested_kinds = nested_kinds
    return cls


_encoder = msgspec.json.Encoder()


def to_json(obj: Object) -> bytes:
    """The object's JSON, ``apiVersion`` and ``kind`` in front."""
    cls = type(obj)
    head = f'{{"apiVersion":"{cls.api_version}","kind":"{cls.kind}"'.encode()
    body = _encoder.encode(obj)
    if cls.micro_times or cls.nested_kinds:
        body = _completed(body, cls)
    return head + b"}" if body == b"{}" else head + b"," + body[1:]


def _completed(body: bytes, cls: type[Object]) -> bytes:
    """``body`` with what msgspec leaves out: the digits of whole microseconds, the kinds of objects in objects."""
    tree = msgspec.json.decode(body)
    for *parents, name in cls.micro_times:
        node = _walk(tree, parents)
        time = node.get(name)
        if time is not None and "." not in time:
            seconds = len("2006-01-02T15:04:05")
            node[name] = f"{time[:seconds]}.000000{time[seconds:]}"
    for (*parents, name), api_version, kind in cls.nested_kinds:
        node = _walk(tree, parents)
        if name in node:
            node[name] = [{"apiVersion": api_version, "kind": kind, **item} for item in node[name]]
    return _encoder.encode(tree)


def _walk(tree: JsonObject, names: list[str]) -> JsonObject:
    for name in names:
        tree = tree.get(name, {})
    return tree


def to_dict(obj: Object) -> dict[str, Any]:
    """The object as plain JSON values, ``apiVersion`` and ``kind`` in front."""
    decoded: dict[str, Any] = msgspec.json.decode(to_json(obj))
    return decoded
