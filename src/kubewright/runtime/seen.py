"""What ``desired`` may look at: the informer caches, every read recorded."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol, TypeAlias, TypeVar, overload

import msgspec

from kubewright.errors import UsageError, Waiting
from kubewright.objects import (
    LabelSelector,
    Object,
    ObjectKey,
    ObjectMeta,
    RawObject,
    Selector,
    decode,
    label_selector,
    parse_label_selector,
    to_json,
)
from kubewright.runtime.dependencies import Dependency, Got, Listed, Owned

ObjectT = TypeVar("ObjectT", bound=Object)

ALL_NAMESPACES: Final = ""
"""For ``seen.list``: in all namespaces that the operator watches."""

T = TypeVar("T")
Objects: TypeAlias = list[T]
AnySelector = str | Mapping[str, str] | LabelSelector | Selector


class Reader(Protocol):
    """Where a :class:`Seen` looks."""

    def get(self, kind: type[Object], key: ObjectKey, *, metadata_only: bool = False) -> RawObject | None:
        """The object at ``key``, or at least its metadata."""
        ...

    def list(
        self, kind: type[Object], namespace: str, selector: Selector, *, metadata_only: bool = False
    ) -> Sequence[RawObject]:
        """The objects selected, or at least their metadata; the empty namespace is all."""
        ...

    def owned_by(self, kind: type[Object], uid: str) -> Sequence[RawObject]:
        """The objects whose controller is ``uid``."""
        ...


class Seen:
    """The world as it was seen; what is read here is watched.

    Each answer is decoded anew: changing it harms nobody. An object that was asked for and is not there is
    watched for as well.
    """

    def __init__(
        self,
        reader: Reader,
        *,
        namespace: str = "",
        uid: str = "",
        read: Callable[[Dependency], None] = lambda _: None,
    ) -> None:
        """Look into ``reader``; users are handed a ``Seen``, or make one of objects with :meth:`of`.

        Args:
            reader: where to look.
            namespace: of the object being reconciled: the default for reads.
            uid: of the object being reconciled.
            read: told of every read.
        """
        self._reader = reader
        self._namespace = namespace
        self._uid = uid
        self._read = read

    @classmethod
    def of(cls, *objects: Object, namespace: str = "default", uid: str = "") -> Seen:
        """A world of these objects, to call ``desired`` in a test: ``controller.desired(app, Seen.of(secret))``."""
        return cls(_Objects(objects), namespace=namespace, uid=uid)

    @overload
    def get(self, kind: ObjectT, /) -> ObjectT | None: ...
    @overload
    def get(self, kind: type[ObjectT], name: str, namespace: str | None = None) -> ObjectT | None: ...
    def get(
        self, kind: type[ObjectT] | ObjectT, name: str | None = None, namespace: str | None = None
    ) -> ObjectT | None:
        """One object, or None: ``seen.get(core.Secret, "token")``, or the live state of one built here.

        Args:
            kind: its class, or an object that has its name.
            name: its name.
            namespace: by default that of the object being reconciled.

        Raises:
            UndeclaredRead: the controller does not declare that it reads this.
            DecodeError: the object is there but does not fit its class.
        """
        if isinstance(kind, Object):
            cls, name, namespace = type(kind), kind.metadata.name, kind.metadata.namespace
        else:
            cls = kind
        found = self._reader.get(cls, self._got(cls, name, namespace))
        return None if found is None else decode(found, cls)

    def metadata(self, kind: type[Object], name: str, namespace: str | None = None) -> ObjectMeta | None:
        """The metadata of one object, or None: all there is to see of ``Reads(…, metadata_only=True)``.

        Arguments and errors are those of :meth:`get`.
        """
        found = self._reader.get(kind, self._got(kind, name, namespace), metadata_only=True)
        return None if found is None else _metadata(found)

    @overload
    def require(self, kind: ObjectT, /) -> ObjectT: ...
    @overload
    def require(self, kind: type[ObjectT], name: str, namespace: str | None = None) -> ObjectT: ...
    def require(
        self, kind: type[ObjectT] | ObjectT, name: str | None = None, namespace: str | None = None
    ) -> ObjectT:
        """As :meth:`get`, for what ``desired`` cannot do without.

        Raises:
            Waiting: it is not there yet: nothing is applied or pruned until it is.
        """
        if isinstance(kind, Object):
            found, cls, name, namespace = self.get(kind), type(kind), kind.metadata.name, kind.metadata.namespace
        else:
            found, cls = self.get(kind, name or "", namespace), kind
        if found is None:
            raise Waiting(f"{cls.kind} {ObjectKey(self._in(cls, namespace), name or '')} is not there yet")
        return found

    def list(
        self, kind: type[ObjectT], selector: AnySelector = "", namespace: str | None = None
    ) -> Objects[ObjectT]:
        """The objects that ``selector`` selects, by name.

        Args:
            kind: their class.
            selector: labels as a mapping, as kubectl's ``-l`` takes them, or as a typed label selector.
            namespace: by default that of the object being reconciled; ``ALL_NAMESPACES`` for all.

        Raises:
            UndeclaredRead: the controller does not declare that it reads this.
            DecodeError: one of the objects does not fit its class.
        """
        where, chosen = self._listed(kind, selector, namespace)
        return [decode(found, kind) for found in sorted(self._reader.list(kind, where, chosen), key=_key)]

    def list_metadata(
        self, kind: type[Object], selector: AnySelector = "", namespace: str | None = None
    ) -> Objects[ObjectMeta]:
        """The metadata of the objects that ``selector`` selects, by name; otherwise as :meth:`list`."""
        where, chosen = self._listed(kind, selector, namespace)
        found = self._reader.list(kind, where, chosen, metadata_only=True)
        return [_metadata(raw) for raw in sorted(found, key=_key)]

    def owned(self, kind: type[ObjectT]) -> Objects[ObjectT]:
        """The objects whose controller reference is the object being reconciled, by name."""
        self._read(Owned(kind.api_resource.group_resource, self._uid))
        return [decode(found, kind) for found in sorted(self._reader.owned_by(kind, self._uid), key=_key)]

    def _got(self, kind: type[Object], name: str | None, namespace: str | None) -> ObjectKey:
        if not name:
            raise UsageError(f"seen.get of {kind.kind} needs a name")
        key = ObjectKey(self._in(kind, namespace), name)
        self._read(Got(kind.api_resource.group_resource, key))
        return key

    def _listed(self, kind: type[Object], selector: AnySelector, namespace: str | None) -> tuple[str, Selector]:
        where = namespace if namespace == ALL_NAMESPACES else self._in(kind, namespace)
        chosen = as_selector(selector)
        self._read(Listed(kind.api_resource.group_resource, where, chosen))
        return where, chosen

    def _in(self, kind: type[Object], namespace: str | None) -> str:
        if not kind.api_resource.namespaced:
            return ""
        found = self._namespace if namespace is None else namespace
        if not found:
            raise UsageError(
                f"reading {kind.kind} needs a namespace", hint="a cluster-scoped object has none to be the default"
            )
        return found


def as_selector(selector: AnySelector) -> Selector:
    """Any way to write a label selector as the one."""
    if isinstance(selector, Selector):
        return selector
    if isinstance(selector, str):
        return parse_label_selector(selector)
    if isinstance(selector, LabelSelector):
        return label_selector(selector) or Selector()
    return label_selector({"matchLabels": dict(selector)}) or Selector()


def _key(raw: RawObject) -> ObjectKey:
    return raw.key


class _WithMetadata(msgspec.Struct):
    metadata: ObjectMeta


_with_metadata = msgspec.json.Decoder(_WithMetadata)


def _metadata(raw: RawObject) -> ObjectMeta:
    return _with_metadata.decode(raw.raw).metadata


class _Objects:
    """A world made of given objects."""

    def __init__(self, objects: tuple[Object, ...]) -> None:
        self._objects = [(type(obj), RawObject(to_json(obj))) for obj in objects]

    def _of(self, kind: type[Object]) -> Sequence[RawObject]:
        return [raw for cls, raw in self._objects if cls.api_resource == kind.api_resource]

    def get(self, kind: type[Object], key: ObjectKey, *, metadata_only: bool = False) -> RawObject | None:
        wanted = {key, ObjectKey("", key.name)}  # an object without a namespace is in whichever is asked for
        return next((raw for raw in self._of(kind) if raw.key in wanted), None)

    def list(
        self, kind: type[Object], namespace: str, selector: Selector, *, metadata_only: bool = False
    ) -> Sequence[RawObject]:
        return [
            raw
            for raw in self._of(kind)
            if raw.metadata.namespace in {namespace, ""} or not namespace
            if selector.matches(raw.metadata.labels)
        ]

    def owned_by(self, kind: type[Object], uid: str) -> Sequence[RawObject]:
        return [
            raw
            for raw in self._of(kind)
            if any(owner.controller and owner.uid == uid for owner in raw.metadata.owner_references)
        ]
