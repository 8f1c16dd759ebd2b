"""The client: Kubernetes' verbs over any transport."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial
from typing import Unpack, overload

import msgspec

from kubewright.client import decode
from kubewright.client.connection import Connection
from kubewright.client.decode import Kind, ObjectT, Target
from kubewright.client.discovery import Discovery
from kubewright.client.lists import ListResult, Page, pages
from kubewright.client.options import (
    FieldValidation,
    ListOptions,
    PatchType,
    PropagationPolicy,
    Query,
    WatchOptions,
    WriteOptions,
    list_query,
    watch_query,
    write_query,
)
from kubewright.client.retries import Retries
from kubewright.client.subresources import Subresources
from kubewright.client.watch import Watch
from kubewright.client.written import Writable, written
from kubewright.errors import UsageError
from kubewright.objects import ApiResource, JsonObject, Object, RawObject
from kubewright.wire import Request, Transport

_PATCHES: Mapping[str, str] = {
    "json": "application/json-patch+json",
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "apply": "application/apply-patch+yaml",
}
_METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
_METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
# Bookmarks come about once a minute; the load balancers of the clouds cut after 350 s of silence.
_IDLE_TIMEOUT = 330.0


class Client(Subresources, Connection):
    """Kubernetes' verbs, for typed kinds, for any :class:`ApiResource`, and for dicts.

    What is read by a typed kind is an instance of it; what is read by an ``ApiResource``, or written as a dict
    or a :class:`RawObject`, is a ``RawObject``. Every verb raises ``ApiError`` for what the server refuses and
    ``TransportError`` where no answer comes. Writes are validated strictly: a field that the server does not
    know is an error, never dropped in silence.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        namespace: str = "default",
        user_agent: str = "kubewright",
        retries: Retries | None = None,
        field_validation: FieldValidation = "Strict",
    ) -> None:
        """See :class:`Connection`; ``field_validation`` is what the server does with fields it does not know."""
        super().__init__(transport, namespace=namespace, user_agent=user_agent, retries=retries)
        self.discovery = Discovery(self)
        self._field_validation = field_validation

    @overload
    async def get(
        self, kind: type[ObjectT], name: str, namespace: str | None = None, *, subresource: str = ""
    ) -> ObjectT: ...
    @overload
    async def get(
        self, kind: ApiResource, name: str, namespace: str | None = None, *, subresource: str = ""
    ) -> RawObject: ...
    async def get(
        self, kind: Kind[ObjectT], name: str, namespace: str | None = None, *, subresource: str = ""
    ) -> ObjectT | RawObject:
        """One object; ``namespace`` defaults to the client's."""
        target = _target(kind)
        return target.decode(await self.call("GET", self._path(target.resource, name, namespace, subresource)))

    @overload
    async def list(self, kind: type[ObjectT], **options: Unpack[ListOptions]) -> ListResult[ObjectT]: ...
    @overload
    async def list(self, kind: ApiResource, **options: Unpack[ListOptions]) -> ListResult[RawObject]: ...
    async def list(
        self, kind: Kind[ObjectT], **options: Unpack[ListOptions]
    ) -> ListResult[ObjectT] | ListResult[RawObject]:
        """All objects, in all namespaces unless one is given; fetched in pages. See :class:`ListOptions`."""
        items: list[ObjectT | RawObject] = []
        resource_version = ""
        async for page in self.pages(kind, **options):
            if page.restarted:
                items.clear()
            items += page.items
            resource_version = page.resource_version
        return ListResult(items, resource_version)  # type: ignore[return-value]

    @overload
    def pages(self, kind: type[ObjectT], **options: Unpack[ListOptions]) -> AsyncIterator[Page[ObjectT]]: ...
    @overload
    def pages(self, kind: ApiResource, **options: Unpack[ListOptions]) -> AsyncIterator[Page[RawObject]]: ...
    def pages(
        self, kind: Kind[ObjectT], **options: Unpack[ListOptions]
    ) -> AsyncIterator[Page[ObjectT]] | AsyncIterator[Page[RawObject]]:
        """The pages of a list as they come: mind :attr:`Page.restarted`. See :class:`ListOptions`."""
        target = _target(kind, metadata_only=options.get("metadata_only", False))
        return self._pages(target, options)  # type: ignore[return-value]

    def _pages(
        self, target: Target[ObjectT | RawObject], options: ListOptions
    ) -> AsyncIterator[Page[ObjectT | RawObject]]:
        query, paging = list_query(options)
        accept = _METADATA_LIST if options.get("metadata_only") else ""
        fetch = partial(self.call, "GET", target.resource.path(options.get("namespace") or ""), accept=accept)
        return pages(fetch, target.decode, query=query, paging=paging, limit=options.get("limit", 500))

    @overload
    def watch(self, kind: type[ObjectT], **options: Unpack[WatchOptions]) -> Watch[ObjectT]: ...
    @overload
    def watch(self, kind: ApiResource, **options: Unpack[WatchOptions]) -> Watch[RawObject]: ...
    def watch(self, kind: Kind[ObjectT], **options: Unpack[WatchOptions]) -> Watch[ObjectT] | Watch[RawObject]:
        """Changes as they come, in all namespaces unless one is given. See :class:`WatchOptions`, :class:`Watch`.

        Of a typed kind, bookmarks are not handed out: they only move :attr:`Watch.resource_version`.
        """
        target = _target(kind, metadata_only=options.get("metadata_only", False))
        request = Request(
            "GET",
            target.resource.path(options.get("namespace") or ""),
            watch_query(options),
            {"accept": _METADATA} if options.get("metadata_only") else {},
            stream=True,
            idle_timeout=options.get("idle_timeout", _IDLE_TIMEOUT),
        )
        return Watch(  # type: ignore[return-value]
            partial(self.raw, request),
            target.decode,
            resource_version=options.get("resource_version", ""),
            yield_bookmarks=isinstance(kind, ApiResource),
        )

    @overload
    async def create(self, obj: ObjectT, **options: Unpack[WriteOptions]) -> ObjectT: ...
    @overload
    async def create(self, obj: RawObject | JsonObject, **options: Unpack[WriteOptions]) -> RawObject: ...
    async def create(self, obj: Writable, **options: Unpack[WriteOptions]) -> Object | RawObject:
        """Create ``obj`` (POST), in its own namespace or else the client's.

        Raises:
            AlreadyExists: an object of this name is there.
        """
        return await self._write("POST", obj, options)

    @overload
    async def replace(self, obj: ObjectT, **options: Unpack[WriteOptions]) -> ObjectT: ...
    @overload
    async def replace(self, obj: RawObject | JsonObject, **options: Unpack[WriteOptions]) -> RawObject: ...
    async def replace(self, obj: Writable, **options: Unpack[WriteOptions]) -> Object | RawObject:
        """Replace the stored object by ``obj`` (PUT), at the resourceVersion that ``obj`` carries.

        Raises:
            Conflict: the object changed since.
        """
        return await self._write("PUT", obj, options)

    @overload
    async def apply(self, obj: ObjectT, *, force: bool = False, **options: Unpack[WriteOptions]) -> ObjectT: ...
    @overload
    async def apply(
        self, obj: RawObject | JsonObject, *, force: bool = False, **options: Unpack[WriteOptions]
    ) -> RawObject: ...
    async def apply(
        self, obj: Writable, *, force: bool = False, **options: Unpack[WriteOptions]
    ) -> Object | RawObject:
        """Apply ``obj`` on the server's side: it becomes what ``field_manager`` says of the object.

        Args:
            obj: the fields that are ours, all of them, each time.
            force: take fields over that other managers own.
            options: ``field_manager`` is required.

        Raises:
            Conflict: other managers own some of the fields; ``causes`` names them.
        """
        if not options.get("field_manager"):
            raise UsageError("apply needs a field_manager: the name under which the fields are owned")
        return await self._write("PATCH", obj, options, content_type=_PATCHES["apply"], force=force)

    @overload
    async def patch(
        self,
        kind: type[ObjectT],
        name: str,
        patch: bytes | Sequence[JsonObject] | JsonObject,
        patch_type: PatchType,
        namespace: str | None = None,
        *,
        force: bool = False,
        **options: Unpack[WriteOptions],
    ) -> ObjectT: ...
    @overload
    async def patch(
        self,
        kind: ApiResource,
        name: str,
        patch: bytes | Sequence[JsonObject] | JsonObject,
        patch_type: PatchType,
        namespace: str | None = None,
        *,
        force: bool = False,
        **options: Unpack[WriteOptions],
    ) -> RawObject: ...
    async def patch(
        self,
        kind: Kind[ObjectT],
        name: str,
        patch: bytes | Sequence[JsonObject] | JsonObject,
        patch_type: PatchType,
        namespace: str | None = None,
        *,
        force: bool = False,
        **options: Unpack[WriteOptions],
    ) -> ObjectT | RawObject:
        """Patch an object; ``namespace`` defaults to the client's."""
        target = _target(kind)
        return target.decode(
            await self.call(
                "PATCH",
                self._path(target.resource, name, namespace, options.get("subresource", "")),
                write_query(options, self._field_validation, force=force),
                patch if isinstance(patch, bytes) else msgspec.json.encode(patch),
                content_type=_PATCHES[patch_type],
            )
        )

    async def delete(
        self,
        kind: type[Object] | ApiResource,
        name: str,
        namespace: str | None = None,
        *,
        propagation_policy: PropagationPolicy | None = None,
        uid: str | None = None,
        resource_version: str | None = None,
        grace_period_seconds: int | None = None,
        dry_run: bool = False,
    ) -> RawObject:
        """Delete an object; ``namespace`` defaults to the client's.

        Args:
            kind: its kind.
            name: its name.
            namespace: its namespace.
            propagation_policy: what becomes of its dependents; the default is the kind's (mostly Background).
            uid: delete this very object only.
            resource_version: delete it in this very state only.
            grace_period_seconds: seconds it is given to stop; 0 kills; None leaves it to the kind.
            dry_run: answer as if it were done, but do not do it.

        Returns:
            A ``Status`` when it is gone; the object, now with a deletionTimestamp, when it is not yet.

        Raises:
            NotFound: there is no such object.
            Conflict: ``uid`` or ``resource_version`` are no longer so.
        """
        resource = _resource(kind)
        options = _DeleteOptions(
            grace_period_seconds,
            _Preconditions(uid, resource_version) if uid or resource_version else None,
            propagation_policy,
            ["All"] if dry_run else None,
        )
        body = await self.call("DELETE", self._path(resource, name, namespace), (), msgspec.json.encode(options))
        return decode.raw(resource).decode(body)

    async def delete_collection(
        self,
        kind: type[Object] | ApiResource,
        namespace: str | None = None,
        *,
        label_selector: str = "",
        field_selector: str = "",
        propagation_policy: PropagationPolicy | None = None,
        grace_period_seconds: int | None = None,
        dry_run: bool = False,
    ) -> None:
        """Delete all objects of ``kind`` in one namespace (by default the client's), or those selected.

        Other arguments are as for :meth:`delete`.
        """
        resource = _resource(kind)
        options = _DeleteOptions(grace_period_seconds, None, propagation_policy, ["All"] if dry_run else None)
        query, _ = list_query({"label_selector": label_selector, "field_selector": field_selector})
        path = resource.path(self._namespace(resource, namespace))
        await self.call("DELETE", path, query, msgspec.json.encode(options))

    async def _write(
        self, method: str, obj: Writable, options: WriteOptions, *, content_type: str = "", force: bool = False
    ) -> Object | RawObject:
        body, gvk, namespace, name = written(obj)
        target: Target[Object | RawObject]
        target = decode.typed(type(obj)) if isinstance(obj, Object) else decode.raw(await self.discovery.find(gvk))
        resource, subresource = target.resource, options.get("subresource", "")
        if method == "POST" and not subresource:
            path = resource.path(self._namespace(resource, namespace or None))
        else:
            path = self._path(resource, name, namespace or None, subresource)
        query: Query = write_query(options, self._field_validation, force=force)
        return target.decode(await self.call(method, path, query, body, content_type=content_type))


class _Preconditions(msgspec.Struct, rename="camel", omit_defaults=True):
    uid: str | None = None
    resource_version: str | None = None


class _DeleteOptions(msgspec.Struct, rename="camel", omit_defaults=True):
    grace_period_seconds: int | None = None
    preconditions: _Preconditions | None = None
    propagation_policy: str | None = None
    dry_run: Sequence[str] | None = None
    kind: str = msgspec.field(default_factory=lambda: "DeleteOptions")
    api_version: str = msgspec.field(default_factory=lambda: "v1")


def _resource(kind: type[Object] | ApiResource) -> ApiResource:
    return kind if isinstance(kind, ApiResource) else kind.api_resource


def _target(kind: Kind[ObjectT], *, metadata_only: bool = False) -> Target[ObjectT | RawObject]:
    if metadata_only and not isinstance(kind, ApiResource):
        raise UsageError(
            f"metadata_only: what the server sends then is no {kind.kind}", hint=f"use {kind.__name__}.api_resource"
        )
    return decode.raw(kind) if isinstance(kind, ApiResource) else decode.typed(kind)
