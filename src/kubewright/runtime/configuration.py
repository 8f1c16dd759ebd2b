"""A child as it is sent: complete, checked, owned, and with the digest that spares the next write."""

from __future__ import annotations

import hashlib
from typing import Final, NamedTuple

import msgspec

from kubewright import clock
from kubewright.errors import InvalidDesired
from kubewright.objects import JsonObject, MetaHead, Object, ObjectKey, RawObject, to_dict
from kubewright.runtime.desired import Child
from kubewright.runtime.inventory import ANNOTATION as OWNER
from kubewright.runtime.inventory import LABEL, InventoryEntry, inventory_entry, reaches

ANNOTATION: Final = "kubewright.dev/configuration"
"""Holds algorithm, digest and verb of the last write: ``sha256:3f0a…:apply``."""

_ALGORITHM = "sha256"
_SALTED = "sha256-salted"
_DIGITS = 32
_encoder = msgspec.json.Encoder(order="deterministic")
_REFUSED = {"uid": "uid", "resourceVersion": "resource_version", "managedFields": "managed_fields"}


class Mark(NamedTuple):
    """The annotation, taken apart; a mark of another's making has only an ``algorithm``."""

    algorithm: str = ""
    salt: str = ""
    digest: str = ""
    verb: str = ""


def read_mark(annotations: dict[str, str]) -> Mark:
    """The mark on a live object; empty if there is none."""
    parts = annotations.get(ANNOTATION, "").split(":")
    if parts[0] == _ALGORITHM and len(parts) == 3:
        return Mark(parts[0], "", parts[1], parts[2])
    if parts[0] == _SALTED and len(parts) == 4:
        return Mark(*parts)
    return Mark(parts[0])


class Configuration:
    """What we say of one child: the body of its POST or its apply.

    Attributes:
        kind: its class.
        key: where it is.
        tree: its JSON, owner reference (or label) included, without the annotation of the digest.
        reached: whether an owner reference holds it; else an inventory label does.
    """

    __slots__ = ("_encoded", "adopt", "after", "key", "kind", "reached", "tree")

    def __init__(self, child: Child, owner: OwnerOf) -> None:
        """Complete ``child``: its namespace, its owner reference.

        Raises:
            InvalidDesired: it cannot be a child of ``owner``, or is an edited live object.
        """
        obj = child.object
        self.kind = type(obj)
        self.after = tuple(owner.child_key(other) for other in child.after)
        self.adopt = child.adopt
        self.key = owner.child_key(obj)[1]
        self.tree = to_dict(obj)
        metadata: JsonObject = self.tree.setdefault("metadata", {})
        for field, attribute in _REFUSED.items():
            if field in metadata:
                raise InvalidDesired(
                    f"the child {self} carries metadata.{attribute}",
                    hint="it is a live object, edited: its defaults would be applied as ours. Build children anew",
                )
        metadata["name"] = self.key.name
        if self.key.namespace:
            metadata["namespace"] = self.key.namespace
        self.reached = reaches(owner.key, self.kind.api_resource, self.key)
        if self.reached:
            metadata["ownerReferences"] = [*metadata.get("ownerReferences", ()), owner.reference]
        else:
            annotation = owner.entry.annotation(self.resource, self.key)
            metadata["labels"] = {**metadata.get("labels", {}), LABEL: owner.uid}
            metadata["annotations"] = {**metadata.get("annotations", {}), OWNER: annotation}
        self._encoded = b""

    @property
    def resource(self) -> str:
        """As RBAC says it."""
        return self.kind.api_resource.group_resource

    def __str__(self) -> str:
        return f"{self.kind.kind} {self.key}"

    def digest(self, salt: str = "") -> str:
        """Of all that we say, our annotation excepted."""
        if not self._encoded:
            self._encoded = _encoder.encode(self.tree)
        return hashlib.sha256(salt.encode() + self._encoded).hexdigest()[:_DIGITS]

    def holds(self, mark: Mark) -> bool:
        """Whether ``mark`` tells of this configuration; one of another algorithm is believed to."""
        if mark.algorithm not in {_ALGORITHM, _SALTED}:
            return bool(mark.algorithm)
        return mark.digest == self.digest(mark.salt)

    def body(self, verb: str, mark: Mark, *, uid: str = "") -> JsonObject:
        """What is sent: with the new mark and, for an apply, the uid of the object that is meant."""
        metadata: JsonObject = dict(self.tree["metadata"])
        # The values of a Secret are not to be guessed from a digest that everyone who may list can read.
        salt = (mark.salt or clock.current().bytes(16).hex()) if self.resource == "secrets" else ""
        parts = [_SALTED, salt] if salt else [_ALGORITHM]
        annotation = ":".join([*parts, self.digest(salt), verb])
        metadata["annotations"] = {**metadata.get("annotations", {}), ANNOTATION: annotation}
        if uid:
            metadata["uid"] = uid
        return {**self.tree, "metadata": metadata}


class OwnerOf:
    """The custom resource that children belong to."""

    def __init__(self, kind: type[Object], head: MetaHead) -> None:
        self.kind = kind
        self.key = ObjectKey(head.namespace, head.name)
        self.uid = head.uid
        self.entry = InventoryEntry(kind.api_resource.group_resource, self.key, head.uid)
        self.reference: JsonObject = {
            "apiVersion": kind.api_version,
            "kind": kind.kind,
            "name": head.name,
            "uid": head.uid,
            "controller": True,
            "blockOwnerDeletion": True,
        }

    def __str__(self) -> str:
        return f"{self.kind.kind} {self.key}"

    def child_key(self, obj: Object) -> tuple[type[Object], ObjectKey]:
        """Where a child is.

        Raises:
            InvalidDesired: it has no name, or no namespace where its owner has none either.
        """
        cls, meta = type(obj), obj.metadata
        if not meta.name:
            raise InvalidDesired(f"a child of {self}, a {cls.kind}, has no name", hint="set metadata.name")
        if not cls.api_resource.namespaced:
            return cls, ObjectKey("", meta.name)
        key = ObjectKey(meta.namespace or self.key.namespace, meta.name)
        if not key.namespace:
            raise InvalidDesired(f"the child {cls.kind} {meta.name} of {self} needs metadata.namespace")
        return cls, key

    def controls(self, kind: type[Object], raw: RawObject) -> bool:
        """Whether ``raw``'s controller reference, or its inventory label, is ours."""
        if reaches(self.key, kind.api_resource, raw.key):
            return any(owner.controller and owner.uid == self.uid for owner in raw.metadata.owner_references)
        head = raw.metadata
        if OWNER not in head.annotations:  # taken away by hand
            return head.labels.get(LABEL) == self.uid
        return inventory_entry(kind.api_resource.group_resource, head) == self.entry
