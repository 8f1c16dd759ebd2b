"""The transport of an operator: it shows every answer to a write to the cache before the writer sees it."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import unquote

import msgspec

from kubewright.cache import Cache, Informer
from kubewright.objects import ObjectKey, RawObject
from kubewright.runtime import origin
from kubewright.runtime.origin import Write
from kubewright.wire import Request, Response, Transport, WholeResponse

_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


class Target(NamedTuple):
    """What a request's path names."""

    group: str
    version: str
    plural: str
    key: ObjectKey
    subresource: str


def parse_path(path: str) -> Target | None:
    """Take an API path apart; None for paths that name no resource."""
    parts = [unquote(part) for part in path.strip("/").split("/")]
    if parts[0] == "api" and len(parts) >= 3:
        group, version, rest = "", parts[1], parts[2:]
    elif parts[0] == "apis" and len(parts) >= 4:
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return None
    namespace = ""
    if rest[0] == "namespaces" and len(rest) >= 3 and not (len(rest) == 3 and rest[2] in {"status", "finalize"}):
        namespace, rest = rest[1], rest[2:]
    name = rest[1] if len(rest) > 1 else ""
    return Target(group, version, rest[0], ObjectKey(namespace, name), "/".join(rest[2:]))


class _Details(msgspec.Struct):
    uid: str = ""


class _Metadata(msgspec.Struct, rename="camel"):
    name: str = ""
    deletion_grace_period_seconds: int | None = None


class _Named(msgspec.Struct):
    """A created object, or the Status that answers a delete."""

    kind: str = ""
    metadata: _Metadata = msgspec.field(default_factory=_Metadata)
    details: _Details | None = None


class _NamespaceSpec(msgspec.Struct):
    finalizers: list[str] = []


class _Namespace(msgspec.Struct):
    """Namespaces are held by finalizers of their spec too."""

    spec: _NamespaceSpec = msgspec.field(default_factory=_NamespaceSpec)


_named = msgspec.json.Decoder(_Named)
_namespace = msgspec.json.Decoder(_Namespace)


class WriteThrough(Transport):
    """Reads pass; what a write is answered with goes into the cache's overlay, marked with its origin."""

    def __init__(self, inner: Transport, cache: Cache) -> None:
        self._inner = inner
        self._cache = cache

    async def send(self, request: Request) -> Response:
        """Send ``request``."""
        if request.method not in _VERBS or ("dryRun", "All") in request.query:
            return await self._inner.send(request)
        target = parse_path(request.path)
        if target is None:
            return await self._inner.send(request)
        key = target.key
        if request.method == "POST" and not key.name:
            key = ObjectKey(key.namespace, _name_in(request.body))
        informers = [
            informer
            for informer in self._cache.informers_of(target.group, target.plural)
            if informer.scope.resource.version == target.version
        ]
        return await self._written(request, target, key, informers)

    async def _written(
        self, request: Request, target: Target, key: ObjectKey, informers: list[Informer]
    ) -> Response:
        writer = origin.current.get()
        before = _known_version(informers, key)
        for informer in informers:
            informer.begin_write(key)
        status, written, deleted_uid = 0, None, ""
        try:
            response = await self._inner.send(request)
            status = response.status
            body = await response.read()
            if status < 300:
                written, deleted_uid = _answer(body, target, request.method)
            return WholeResponse(status, response.headers, body)
        finally:
            if writer is not None:
                changed = written is None or written.metadata.resource_version != before
                group = f".{target.group}" if target.group else ""
                writer.writes.append(
                    Write(_verb(request), target.plural + group, key, target.subresource, status, changed)
                )
            for informer in informers:
                copy = RawObject(written.raw) if written is not None and len(informers) > 1 else written
                informer.finish_write(key, written=copy, deleted_uid=deleted_uid, origin=writer)

    async def close(self) -> None:
        """The inner transport is its owner's to close."""


def _verb(request: Request) -> str:
    if request.headers.get("content-type", "").startswith("application/apply-patch"):
        return "apply"
    return _VERBS[request.method]


def _name_in(body: bytes) -> str:
    try:
        return _named.decode(body).metadata.name
    except msgspec.DecodeError:
        return ""


def _known_version(informers: list[Informer], key: ObjectKey) -> str:
    for informer in informers:
        if known := informer.store.get(key):
            return known.metadata.resource_version
    return ""


def _answer(body: bytes, target: Target, method: str) -> tuple[RawObject | None, str]:
    """The object an answer holds, or the uid of the one that is gone, as a ``Status`` or its last state says."""
    try:
        named = _named.decode(body)
        if named.kind == "Status":
            return None, named.details.uid if named.details else ""
        if target.subresource not in {"", "status", "finalize", "approval", "ephemeralcontainers", "resize"}:
            return None, ""
        obj = RawObject(body)
    except msgspec.DecodeError:
        return None, ""
    if obj.metadata.uid and _is_last_state(obj, named.metadata, target, method):
        return None, obj.metadata.uid
    return (obj, "") if obj.metadata.uid else (None, "")


def _is_last_state(obj: RawObject, meta: _Metadata, target: Target, method: str) -> bool:
    """Whether nothing holds the object: its deletion is answered with it, as is the end of its last finalizer."""
    if obj.metadata.finalizers:
        return False
    if (target.group, target.plural) == ("", "namespaces") and _namespace.decode(obj.raw).spec.finalizers:
        return False
    if obj.metadata.deletion_timestamp is None:
        return method == "DELETE"
    return not meta.deletion_grace_period_seconds
