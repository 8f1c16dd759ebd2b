"""What is not about objects: discovery, OpenAPI, version, health."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from kubewright.objects import JsonObject
from kubewright.server import media
from kubewright.server.openapi import OpenApi
from kubewright.server.registry import ResourceDefinition
from kubewright.wire import Request, WholeResponse

if TYPE_CHECKING:
    from kubewright.server.resources import ServedResources

VERSION: JsonObject = {
    "major": "1",
    "minor": "37",
    "emulationMajor": "1",
    "emulationMinor": "37",
    "minCompatibilityMajor": "1",
    "minCompatibilityMinor": "36",
    "gitVersion": "v1.37.2",
    "gitCommit": "",
    "gitTreeState": "",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "",
    "compiler": "kubewright",
    "platform": "linux/amd64",
}
ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
_CUSTOM_VERBS = ("delete", "deletecollection", "get", "list", "patch", "create", "update", "watch")
_AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
_HEALTH = frozenset({"healthz", "livez", "readyz"})
# Groups in the order apiserver lists them: its own first, then custom ones by name.
_PRIORITY = (
    "apiregistration.k8s.io",
    "apps",
    "events.k8s.io",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "networking.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "storage.k8s.io",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "scheduling.k8s.io",
    "coordination.k8s.io",
    "node.k8s.io",
    "discovery.k8s.io",
    "resource.k8s.io",
    "flowcontrol.apiserver.k8s.io",
    "storagemigration.k8s.io",
)
_RANK = {group: rank for rank, group in enumerate(_PRIORITY)}


class Discovery:
    """Answers for paths that name no resource."""

    def __init__(self, resources: ServedResources) -> None:
        self._resources = resources
        self._openapi = OpenApi(resources)
        self._cached: dict[str, tuple[int, WholeResponse]] = {}

    def answer(self, request: Request, parts: list[str]) -> WholeResponse:
        """Answer a GET of a path that is not a resource's.

        Raises:
            StatusError: 404, there is nothing at this path; 405, it takes only GET.
        """
        head = parts[0] if parts else ""
        if head in _HEALTH:
            return WholeResponse(200, {"content-type": "text/plain; charset=utf-8"}, b"ok")
        if head == "openapi":
            return self._openapi.answer(request, parts)
        aggregated = "apidiscovery.k8s.io" in request.headers.get("accept", "")
        key = f"{'/'.join(parts)} {aggregated}"
        cached = self._cached.get(key)
        if cached is not None and cached[0] == self._resources.generation:
            return cached[1]
        made = self._make(parts, aggregated=aggregated)
        self._cached[key] = (self._resources.generation, made)
        return made

    def _make(self, parts: list[str], *, aggregated: bool) -> WholeResponse:
        match parts:
            case []:
                return _json({"paths": self._paths()})
            case ["version"]:
                return _json(VERSION)
            case ["api"] if aggregated:
                return self._aggregated([""])
            case ["apis"] if aggregated:
                return self._aggregated(self._named_groups())
            case ["api"]:
                addresses = [{"clientCIDR": "0.0.0.0/0", "serverAddress": "127.0.0.1"}]
                return _json({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": addresses})
            case ["apis"]:
                groups = [self._group(name) for name in self._named_groups()]
                return _json({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
            case ["apis", group] if group and group in self._resources.groups():
                return _json({"kind": "APIGroup", "apiVersion": "v1", **self._group(group)})
            case ["api", version] if self._resources.has_group_version("", version):
                return _json(self._resource_list("", version))
            case ["apis", group, version] if group and self._resources.has_group_version(group, version):
                return _json(self._resource_list(group, version))
        return no_such_page()

    def _paths(self) -> list[str]:
        paths = ["/api", "/apis", "/healthz", "/livez", "/openapi/v3", "/readyz", "/version"]
        for group, versions in self._resources.groups().items():
            if group:
                paths.append(f"/apis/{group}")
            paths += [f"/apis/{group}/{version}" if group else f"/api/{version}" for version in versions]
        return sorted(paths)

    def _named_groups(self) -> list[str]:
        names = [name for name in self._resources.groups() if name]
        return sorted(names, key=lambda name: (_RANK.get(name, len(_RANK)), name))

    def versions(self, group: str) -> list[str]:
        """A group's versions, the preferred one first."""
        return sorted(self._resources.groups().get(group, []), key=version_rank)

    def _group(self, name: str) -> JsonObject:
        versions = [{"groupVersion": f"{name}/{version}", "version": version} for version in self.versions(name)]
        return {"name": name, "versions": versions, "preferredVersion": versions[0]}

    def _resource_list(self, group: str, version: str) -> JsonObject:
        resources: list[JsonObject] = []
        for definition in self._resources.version(group, version):
            resource = definition.resource
            entry: JsonObject = {
                "name": resource.plural,
                "singularName": resource.singular,
                "namespaced": resource.namespaced,
                "kind": resource.kind,
                "verbs": _verbs(definition),
            }
            if resource.short_names:
                entry["shortNames"] = list(resource.short_names)
            if resource.categories:
                entry["categories"] = list(resource.categories)
            if not resource.verbs or "update" in resource.verbs:
                entry["storageVersionHash"] = _storage_hash(definition)
            resources.append(entry)
            for name, kind, api_group, api_version, verbs in _subresources(definition):
                of: JsonObject = {
                    "name": f"{resource.plural}/{name}",
                    "singularName": "",
                    "namespaced": resource.namespaced,
                    "kind": kind,
                    "verbs": list(verbs),
                }
                if (api_group, api_version) != (group, version):
                    of |= {"group": api_group, "version": api_version}
                resources.append(of)
        head: JsonObject = {"kind": "APIResourceList"}
        if group:
            head["apiVersion"] = "v1"
        return head | {"groupVersion": f"{group}/{version}" if group else version, "resources": resources}

    def _aggregated(self, groups: Iterable[str]) -> WholeResponse:
        items = []
        for group in groups:
            versions: list[JsonObject] = []
            for version in self.versions(group):
                resources = [_discovered(definition) for definition in self._resources.version(group, version)]
                versions.append({"version": version, "resources": resources, "freshness": "Current"})
            items.append({"metadata": {"name": group} if group else {}, "versions": versions})
        body: JsonObject = {
            "kind": "APIGroupDiscoveryList",
            "apiVersion": "apidiscovery.k8s.io/v2",
            "metadata": {},
            "items": items,
        }
        encoded = media.encode(body)
        etag = hashlib.sha256(encoded).hexdigest().upper()
        headers = {"content-type": _AGGREGATED, "etag": f'"{etag}"', "vary": "Accept", "cache-control": "public"}
        return WholeResponse(200, headers, encoded)


def no_such_page() -> WholeResponse:
    """What apiserver answers where it has nothing at all."""
    return WholeResponse(404, {"content-type": "text/plain; charset=utf-8"}, b"404 page not found\n")


def _json(obj: JsonObject) -> WholeResponse:
    headers = {"content-type": media.JSON, "cache-control": "no-cache, private"}
    return WholeResponse(200, headers, media.encode(obj))


def _verbs(definition: ResourceDefinition) -> list[str]:
    if definition.custom:
        return list(_CUSTOM_VERBS)
    return sorted(definition.resource.verbs or ALL_VERBS)


def _storage_hash(definition: ResourceDefinition) -> str:
    import base64

    resource = definition.resource
    stored = f"{resource.group}/{definition.storage_version or resource.version}/{resource.kind}"
    return base64.b64encode(hashlib.sha256(stored.encode()).digest()[:8]).decode()


Subresource = tuple[str, str, str, str, tuple[str, ...]]


def _subresources(definition: ResourceDefinition) -> list[Subresource]:
    """Name, kind, group, version and verbs of every subresource, sorted by name."""
    resource = definition.resource
    if not definition.custom:
        recorded = _recorded_subresources().get((resource.group, resource.version, resource.plural), ())
        return [
            (
                of["subresource"],
                of["responseKind"]["kind"],
                of["responseKind"]["group"] or resource.group,
                of["responseKind"]["version"] or resource.version,
                tuple(of["verbs"]),
            )
            for of in recorded
        ]
    found: list[Subresource] = [
        (name, resource.kind, resource.group, resource.version, ("get", "patch", "update"))
        for name in definition.subresources
    ]
    if definition.scale is not None:
        found.append(("scale", "Scale", "autoscaling", "v1", ("get", "patch", "update")))
    return found


@cache
def _recorded_subresources() -> dict[tuple[str, str, str], list[JsonObject]]:
    data = files("kubewright.server").joinpath("data/discovery.json.gz").read_bytes()
    found: dict[tuple[str, str, str], list[JsonObject]] = {}
    for group in media.decode(gzip.decompress(data))["items"]:
        for version in group["versions"]:
            for resource in version["resources"]:
                key = (group["metadata"].get("name", ""), version["version"], resource["resource"])
                found[key] = resource.get("subresources") or []
    return found


def _discovered(definition: ResourceDefinition) -> JsonObject:
    resource = definition.resource
    # As apiserver does: the kind's own group and version are left out where they are the resource's.
    kind = {"group": "", "version": "", "kind": resource.kind}
    entry: JsonObject = {
        "resource": resource.plural,
        "responseKind": kind,
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.singular,
        "verbs": _verbs(definition),
    }
    if definition.custom:
        kind |= {"group": resource.group, "version": resource.version}
    if resource.short_names:
        entry["shortNames"] = list(resource.short_names)
    if resource.categories:
        entry["categories"] = list(resource.categories)
    subresources = []
    for name, sub_kind, group, version, verbs in _subresources(definition):
        same = (group, version) == (resource.group, resource.version) and not definition.custom
        of = {"group": "" if same else group, "version": "" if same else version, "kind": sub_kind}
        subresources.append({"subresource": name, "responseKind": of, "verbs": list(verbs)})
    if subresources:
        entry["subresources"] = subresources
    return entry


def version_rank(version: str) -> tuple[int, int, int, str]:
    """Sorts versions as Kubernetes prefers them: GA before beta before alpha, newer first, others last by name."""
    import re

    match = re.fullmatch(r"v([0-9]+)(?:(alpha|beta)([0-9]+))?", version)
    if match is None:
        return (3, 0, 0, version)
    stage = {None: 0, "beta": 1, "alpha": 2}[match[2]]
    return (stage, -int(match[1]), -int(match[3] or 0), version)
