"""Patches: how each kind of them makes a new object of the one that is there."""

from __future__ import annotations

from typing import Any

import msgspec

from kubewright.errors import PatchError
from kubewright.objects import JsonObject, parse_api_version, patches
from kubewright.server import bodies, fielderrors, media, metadata, status, writepath
from kubewright.server.gojson import go_kind
from kubewright.server.gotext import json_text, quote
from kubewright.server.handlers.decoding import SCHEME, clean, report, unknown_conversion
from kubewright.server.handlers.scope import Scope
from kubewright.server.options import WriteOptions
from kubewright.server.resource_store import Change


def patcher(scope: Scope, kind: str, options: WriteOptions) -> Change:
    """The change that the body of ``scope``'s request describes.

    Raises:
        StatusError: the body cannot be read as a patch of this ``kind``.
    """
    if kind == media.APPLY_PATCH:
        return _apply(scope, options)
    patch = _read(scope.request.body, kind)

    def change(live: JsonObject | None) -> JsonObject:
        if live is None:  # only an apply creates, also where a PUT would
            resource = scope.definition.resource
            raise status.not_found(resource.group, resource.plural, scope.context.name)
        patched = _patched(scope, kind, live, patch)
        if not isinstance(patched, dict):
            raise status.bad_request("the patch does not leave an object")
        return _checked(scope, patched, options)

    return change


def patched_body(scope: Scope, obj: JsonObject) -> JsonObject:
    """``obj``, which is not a resource of its own (a Scale), with the patch of the request applied.

    Raises:
        StatusError: the patch cannot be read or applied, or its kind is not taken.
    """
    kind = scope.body_type
    if kind == media.STRATEGIC_MERGE_PATCH and not scope.definition.custom:
        kind = media.MERGE_PATCH  # the same for an object without lists
    if kind not in (media.JSON_PATCH, media.MERGE_PATCH):
        raise status.unsupported_patch_type()
    patched = _patched(scope, kind, obj, _read(scope.request.body, kind))
    if not isinstance(patched, dict):
        raise status.bad_request("the patch does not leave an object")
    return patched


def _read(body: bytes, kind: str) -> Any:
    try:
        patch = media.decode(body)
    except (msgspec.DecodeError, RecursionError):
        raise status.bad_request("invalid JSON patch") from None
    wanted = list if kind == media.JSON_PATCH else dict
    if not isinstance(patch, wanted):
        into = "[]handlers.jsonPatchOp" if wanted is list else "map[string]interface {}"
        why = f"json: cannot unmarshal {go_kind(patch)} into Go value of type {into}"
        raise status.bad_request(f"error decoding patch: {why}")
    if wanted is list and (strange := [op for op in patch if not isinstance(op, dict)]):
        why = f"json: cannot unmarshal {go_kind(strange[0])} into Go value of type handlers.jsonPatchOp"
        raise status.bad_request(f"error decoding patch: {why}")
    return patch


def _patched(scope: Scope, kind: str, live: JsonObject, patch: Any) -> Any:
    try:
        if kind == media.MERGE_PATCH:
            return patches.merge_patch(live, patch)
        if kind == media.JSON_PATCH:
            return patches.json_patch(live, patch)
        from kubewright.server.patch import strategic_merge

        schema = writepath.schema_of(scope.definition)
        if schema is None:
            raise status.unsupported_patch_type()
        return strategic_merge(live, patch, schema)
    except PatchError as error:
        raise _refused(error, kind) from error


def _refused(error: PatchError, kind: str) -> status.StatusError:
    if error.code == 422 and kind == media.JSON_PATCH:
        # apiserver keeps the reason to itself.
        why = "the server rejected our request due to an error in our request"
        return status.StatusError(422, "Invalid", why, {})
    if error.code == 413:
        return status.request_entity_too_large_because(str(error))
    reasons = {400: "BadRequest", 422: "Invalid"}
    return status.failure(error.code, reasons.get(error.code, ""), str(error))


def _checked(scope: Scope, obj: JsonObject, options: WriteOptions) -> JsonObject:
    resource = scope.definition.resource
    why = ""
    if obj.get("apiVersion") != resource.api_version:
        version = quote(str(obj.get("apiVersion", "")))
        why = f"no kind {quote(str(obj.get('kind', '')))} is registered for version {version} in scheme {SCHEME}"
    elif obj.get("kind") != resource.kind:
        why = unknown_conversion(obj["kind"], resource)
    if why:
        raise _bad_result(obj, why)
    shown = media.encode(obj)
    if scope.definition.custom and (why := metadata.type_problem(obj.get("metadata") or {})):
        raise _bad_result(obj, why)
    complaints = clean(scope, obj)
    if complaints and options.field_validation == "Strict":
        raise _bad_result(media.decode(shown), f"strict decoding error: {', '.join(complaints)}")
    report(scope, complaints, options)
    check_name(scope, obj["metadata"], required=True)
    return obj


def _bad_result(obj: JsonObject, why: str) -> status.StatusError:
    shown = json_text(obj)
    return status.invalid("", "", "", [fielderrors.invalid("patch", shown, why)])


def _apply(scope: Scope, options: WriteOptions) -> Change:
    config, duplicates = bodies.read_apply_configuration(scope.request.body)
    resource = scope.definition.resource
    _check_config(scope, config)

    def change(live: JsonObject | None) -> JsonObject:
        uid = config.get("metadata", {}).get("uid")
        if live is None and uid:
            why = f"uid mismatch: the provided object specified uid {uid}, and no existing object was found"
            raise status.conflict(resource.group, resource.plural, scope.info.name, why)
        merged = writepath.apply(scope.definition, live, config, scope.context, force=bool(options.force))
        merged["metadata"].setdefault("name", scope.info.name)
        if resource.namespaced:
            merged["metadata"].setdefault("namespace", scope.context.namespace)
        complaints = clean(scope, merged, applied=True)
        report(scope, duplicates + complaints, options)
        return merged

    return change


def _check_config(scope: Scope, config: JsonObject) -> None:
    resource = scope.definition.resource
    meta = config.get("metadata")
    if meta is None:
        meta = config["metadata"] = {}
    elif not isinstance(meta, dict):
        raise status.bad_request(f"metadata: expected an object, got {go_kind(meta)}")
    if config.get("apiVersion") != resource.api_version or config.get("kind") != resource.kind:
        group, version = parse_api_version(config.get("apiVersion") or "")
        raise status.bad_request(f"invalid object type: {group}/{version}, Kind={config.get('kind') or ''}")
    if meta.get("managedFields"):
        raise status.bad_request("metadata.managedFields must be nil")
    check_name(scope, meta)
    if "namespace" in meta:
        metadata.match_namespace(meta, scope.context.namespace if resource.namespaced else "")


def check_name(scope: Scope, meta: JsonObject, *, required: bool = False) -> None:
    """The name in an object is the one in the path.

    Raises:
        StatusError: 400.
    """
    name = meta.get("name")
    if not name and required:
        why = f"the name of the object ({scope.info.name} based on URL) was undeterminable: name must be provided"
        raise status.bad_request(why)
    if name and name != scope.info.name:
        why = f"the name of the object ({name}) does not match the name on the URL ({scope.info.name})"
        raise status.bad_request(why)
