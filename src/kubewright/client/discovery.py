"""What the API server serves: its resources, by kind and by the words people use for them."""

from __future__ import annotations

import asyncio

from kubewright.client import discovery_documents as documents
from kubewright.client.connection import Connection
from kubewright.errors import ApiError, NotFound
from kubewright.objects import ApiResource, GroupVersionKind
from kubewright.wire import Request

_AGGREGATED = ",".join(
    [
        "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
        "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList",
        "application/json",
    ]
)


class Discovery:
    """The resources of one API server, loaded when first asked for, and again for what was not there.

    Their order is the server's: the core group, then the groups by priority, in each the preferred version first.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._loading = asyncio.Lock()
        self._loads = 0
        self._etags: dict[str, str] = {}
        self._roots: dict[str, list[ApiResource]] = {}
        self._by_gvk: dict[GroupVersionKind, ApiResource] = {}

    async def resources(self, *, reload: bool = False) -> list[ApiResource]:
        """All resources in all served versions."""
        if reload or not self._by_gvk:
            await self._load()
        return [resource for root in self._roots.values() for resource in root]

    async def find(self, gvk: GroupVersionKind) -> ApiResource:
        """The resource that serves ``gvk``.

        Raises:
            NotFound: none does, also after asking the server again.
        """
        found = self._by_gvk.get(gvk)
        if found is None:
            await self._load()
            found = self._by_gvk.get(gvk)
        if found is None:
            served = [r.version for r in self._by_gvk.values() if (r.group, r.kind) == (gvk.group, gvk.kind)]
            raise NotFound(
                f"the API server does not serve kind {gvk.kind} of {gvk.api_version}",
                reason="NotFound",
                hint=f"it serves {gvk.kind} as {', '.join(served)}: use that version"
                if served
                else "check kind and apiVersion; for a custom resource, install its CustomResourceDefinition first",
            )
        return found

    async def find_kind(self, group: str, kind: str) -> ApiResource:
        """The resource that serves ``kind`` of ``group`` in the server's preferred version.

        Raises:
            NotFound: none does, also after asking the server again.
        """
        for reload in (False, True):
            for resource in await self.resources(reload=reload):
                if (resource.group, resource.kind) == (group, kind):
                    return resource
        raise NotFound(
            f"the API server does not serve kind {kind} of group {group or 'core'}",
            reason="NotFound",
            hint="check kind and group; for a custom resource, install its CustomResourceDefinition first",
        )

    async def resolve(self, word: str) -> ApiResource:
        """The resource that ``word`` means, read as kubectl does.

        ``deploy``, ``deployment``, ``deployments``, ``Deployment``, ``deployments.apps``, ``deployments.v1.apps``.

        Raises:
            NotFound: no resource is meant, also after asking the server again.
        """
        for reload in (False, True):
            found = documents.meant(word, await self.resources(reload=reload))
            if found is not None:
                return found
        raise NotFound(
            f'the API server has no resource type "{word}"',
            reason="NotFound",
            hint="kubectl api-resources lists them; a custom resource needs its CustomResourceDefinition installed",
        )

    async def _load(self) -> None:
        loads = self._loads
        async with self._loading:
            if self._loads != loads:  # somebody else asked the server while we waited
                return
            core, groups = await asyncio.gather(self._root("/api"), self._root("/apis"))
            self._roots = {"/api": core, "/apis": groups}
            by_gvk: dict[GroupVersionKind, ApiResource] = {}
            for resource in [*core, *groups]:
                by_gvk.setdefault(resource.gvk, resource)
            self._by_gvk = by_gvk
            self._loads += 1

    async def _root(self, path: str) -> list[ApiResource]:
        headers = {"accept": _AGGREGATED}
        if path in self._etags:
            headers["if-none-match"] = self._etags[path]
        response = await self._connection.raw(Request("GET", path, headers=headers))
        body = await response.read()
        if response.status == 304:
            return self._roots[path]
        if "apidiscovery.k8s.io" not in response.headers.get("content-type", ""):
            return await self._legacy(path, body)
        if etag := response.headers.get("etag"):
            self._etags[path] = etag
        resources, stale = documents.from_aggregated(body)
        for group_version in stale:
            resources += await self._group_version(f"{path}/{group_version}")
        return resources

    async def _legacy(self, path: str, body: bytes) -> list[ApiResource]:
        found = await asyncio.gather(
            *(self._group_version(f"{path}/{each}") for each in documents.group_versions(body))
        )
        return [resource for each in found for resource in each]

    async def _group_version(self, path: str) -> list[ApiResource]:
        try:
            return documents.from_resource_list(await self._connection.call("GET", path))
        except ApiError:
            # An aggregated API whose server is down must not hide all others.
            return []
