"""An object as it came over the wire: its bytes, and the few fields looked at without decoding it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from kubewright.objects.gvk import GroupVersionKind, ObjectKey, parse_api_version


class OwnerHead(msgspec.Struct, rename="camel", frozen=True):
    """The part of an owner reference that indexes and the garbage collector read."""

    api_version: str
    kind: str
    name: str
    uid: str
    controller: bool = False
    block_owner_deletion: bool = False


class MetaHead(msgspec.Struct, rename="camel", kw_only=True):
    """The part of ``metadata`` that is looked at without decoding the object."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    owner_references: tuple[OwnerHead, ...] = ()
    finalizers: tuple[str, ...] = ()
    deletion_timestamp: datetime | None = None


class _Head(msgspec.Struct, rename="camel", kw_only=True):
    api_version: str = ""
    kind: str = ""
    metadata: MetaHead = msgspec.field(default_factory=MetaHead)


_decoder = msgspec.json.Decoder(_Head)


class RawObject:
    """An object's JSON and the head of it.

    Attributes:
        raw: the object's JSON, as it came.
        metadata: the decoded head of its metadata.
        api_version: empty for an item of a typed list, which does not repeat it, unless given.
        kind: likewise.
    """

    __slots__ = ("api_version", "kind", "metadata", "raw")

    def __init__(self, raw: bytes, *, api_version: str = "", kind: str = "") -> None:
        """Decode the head of ``raw``.

        Raises:
            msgspec.DecodeError: ``raw`` is not the JSON of an object.
        """
        head = _decoder.decode(raw)
        self.raw = raw
        self.api_version = head.api_version or api_version
        self.kind = head.kind or kind
        self.metadata = head.metadata

    @property
    def gvk(self) -> GroupVersionKind:
        """Group, version and kind."""
        group, version = parse_api_version(self.api_version)
        return GroupVersionKind(group, version, self.kind)

    @property
    def key(self) -> ObjectKey:
        """Namespace and name."""
        return ObjectKey(self.metadata.namespace, self.metadata.name)

    def to_dict(self) -> dict[str, Any]:
        """All of it, decoded anew: changing it changes nothing here."""
        decoded: dict[str, Any] = msgspec.json.decode(self.raw)
        decoded.setdefault("apiVersion", self.api_version)
        decoded.setdefault("kind", self.kind)
        return decoded

    def __repr__(self) -> str:
        return f"<{self.kind or 'object'} {self.key} at {self.metadata.resource_version or '-'}>"
