"""Objects on their way to the server, whatever they are given as: typed, raw, or a dict."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from kubewright.errors import UsageError
from kubewright.objects import GroupVersionKind, JsonObject, Object, RawObject, parse_api_version, to_json

Writable = Object | RawObject | JsonObject


class Written(NamedTuple):
    """An object's JSON, and where it goes."""

    body: bytes
    gvk: GroupVersionKind
    namespace: str
    name: str


class _TypeMeta(msgspec.Struct, rename="camel"):
    api_version: str = ""
    kind: str = ""


_type_meta = msgspec.json.Decoder(_TypeMeta)


def written(obj: Writable) -> Written:
    """The JSON of ``obj``, and where it goes.

    Raises:
        UsageError: a dict or raw object does not say what it is.
    """
    if isinstance(obj, Object):
        resource = type(obj).api_resource
        return Written(to_json(obj), resource.gvk, obj.metadata.namespace or "", obj.metadata.name or "")
    if isinstance(obj, RawObject):
        _said(obj.api_version, obj.kind, obj)
        head = _type_meta.decode(obj.raw)
        # An item of a list does not repeat what it is; the server wants to hear it.
        body = obj.raw if head.api_version and head.kind else msgspec.json.encode(obj.to_dict())
        return Written(body, obj.gvk, obj.metadata.namespace, obj.metadata.name)
    api_version, kind = obj.get("apiVersion", ""), obj.get("kind", "")
    _said(api_version, kind, obj)
    metadata = obj.get("metadata")
    if not isinstance(metadata, dict):
        raise UsageError(f"this {kind} has no metadata", hint="it needs metadata.name (or metadata.generateName)")
    group, version = parse_api_version(api_version)
    return Written(
        msgspec.json.encode(obj),
        GroupVersionKind(group, version, kind),
        str(metadata.get("namespace") or ""),
        str(metadata.get("name") or ""),
    )


def _said(api_version: object, kind: object, obj: object) -> None:
    if not (isinstance(api_version, str) and isinstance(kind, str) and api_version and kind):
        raise UsageError(f"an object needs apiVersion and kind: {obj!r:.200}", hint="say what it is")
