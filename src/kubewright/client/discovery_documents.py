"""The documents discovery is made of, as resources: aggregated (``apidiscovery.k8s.io``) and legacy ones."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import msgspec

from kubewright.errors import DecodeError
from kubewright.objects import ApiResource, parse_api_version

_T = TypeVar("_T")


class _Kind(msgspec.Struct):
    group: str = ""
    version: str = ""
    kind: str = ""


class _Subresource(msgspec.Struct):
    subresource: str


class _Resource(msgspec.Struct, rename="camel"):
    resource: str
    scope: str = "Namespaced"
    response_kind: _Kind | None = None
    singular_resource: str = ""
    verbs: tuple[str, ...] = ()
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: tuple[_Subresource, ...] = ()


class _Version(msgspec.Struct):
    version: str
    resources: tuple[_Resource, ...] = ()
    freshness: str = "Current"


class _Meta(msgspec.Struct):
    name: str = ""


class _Group(msgspec.Struct):
    metadata: _Meta = msgspec.field(default_factory=_Meta)
    versions: tuple[_Version, ...] = ()


class _GroupDiscoveryList(msgspec.Struct):
    items: tuple[_Group, ...] = ()


class _GroupVersion(msgspec.Struct, rename="camel"):
    group_version: str
    version: str


class _LegacyGroup(msgspec.Struct, rename="camel"):
    versions: tuple[_GroupVersion, ...] = ()
    preferred_version: _GroupVersion | None = None


class _LegacyRoot(msgspec.Struct):
    versions: tuple[str, ...] = ()
    groups: tuple[_LegacyGroup, ...] = ()


class _LegacyResource(msgspec.Struct, rename="camel"):
    name: str
    kind: str
    namespaced: bool = True
    singular_name: str = ""
    group: str = ""
    version: str = ""
    verbs: tuple[str, ...] = ()
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()


class _LegacyResourceList(msgspec.Struct, rename="camel"):
    group_version: str = ""
    resources: tuple[_LegacyResource, ...] = ()


_aggregated = msgspec.json.Decoder(_GroupDiscoveryList)
_root = msgspec.json.Decoder(_LegacyRoot)
_resource_list = msgspec.json.Decoder(_LegacyResourceList)


def from_aggregated(body: bytes) -> tuple[list[ApiResource], list[str]]:
    """The resources of an ``APIGroupDiscoveryList``, and the group versions it could not get just now."""
    resources: list[ApiResource] = []
    stale: list[str] = []
    for group in _decode(_aggregated, body).items:
        name = group.metadata.name
        for version in group.versions:
            if version.freshness == "Stale" and not version.resources:
                stale.append(f"{name}/{version.version}" if name else version.version)
            resources += [
                ApiResource(
                    group=name,
                    version=version.version,
                    kind=resource.response_kind.kind,
                    plural=resource.resource,
                    namespaced=resource.scope == "Namespaced",
                    singular=resource.singular_resource,
                    short_names=resource.short_names,
                    categories=resource.categories,
                    verbs=resource.verbs,
                    subresources=tuple(each.subresource for each in resource.subresources),
                )
                for resource in version.resources
                if resource.response_kind is not None and resource.response_kind.kind
            ]
    return resources, stale


def group_versions(body: bytes) -> list[str]:
    """The group versions of a legacy ``APIVersions`` or ``APIGroupList``, each group's preferred one first."""
    root = _decode(_root, body)
    found = list(root.versions)
    for group in root.groups:
        preferred = group.preferred_version.group_version if group.preferred_version else ""
        names = [version.group_version for version in group.versions]
        found += sorted(names, key=lambda name: name != preferred)
    return found


def from_resource_list(body: bytes) -> list[ApiResource]:
    """The resources of a legacy ``APIResourceList``."""
    document = _decode(_resource_list, body)
    group, version = parse_api_version(document.group_version)
    subresources: dict[str, list[str]] = {}
    for each in document.resources:
        plural, slash, subresource = each.name.partition("/")
        if slash:
            subresources.setdefault(plural, []).append(subresource)
    return [
        ApiResource(
            group=group,
            version=version,
            kind=each.kind,
            plural=each.name,
            namespaced=each.namespaced,
            singular=each.singular_name or each.kind.lower(),
            short_names=each.short_names,
            categories=each.categories,
            verbs=each.verbs,
            subresources=tuple(subresources.get(each.name, ())),
        )
        for each in document.resources
        if "/" not in each.name
    ]


def meant(word: str, resources: Iterable[ApiResource]) -> ApiResource | None:
    """The first resource that ``word`` names: by plural, else by singular or kind, else by short name."""
    name, _, rest = word.strip().lower().partition(".")
    candidates = [resource for resource in resources if not rest or _in_group(rest, resource)]
    for resource in candidates:
        if resource.plural == name:
            return resource
    for resource in candidates:
        if name in (resource.singular, resource.kind.lower()):
            return resource
    for resource in candidates:
        if name in resource.short_names:
            return resource
    return None


def _in_group(rest: str, resource: ApiResource) -> bool:
    """Whether ``rest`` is the resource's group, its version and group, or the beginning of its group."""
    if rest in (resource.group, f"{resource.version}.{resource.group}".rstrip(".")):
        return True
    return resource.group.startswith(f"{rest}.")


def _decode(decoder: msgspec.json.Decoder[_T], body: bytes) -> _T:
    try:
        return decoder.decode(body)
    except msgspec.DecodeError as error:
        raise DecodeError(f"the server's discovery document cannot be read: {error}") from error
