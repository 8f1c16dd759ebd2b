"""AdmissionReviews: what is sent to a webhook, and what may come back."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field

from kubewright.errors import PatchError
from kubewright.objects import ApiResource, JsonObject, parse_api_version
from kubewright.server.admission import Attributes
from kubewright.server.authentication.users import user_info
from kubewright.server.bodies import read_json
from kubewright.server.gojson import go_kind
from kubewright.server.gotext import quote
from kubewright.server.media import decode
from kubewright.server.registry import ResourceDefinition
from kubewright.server.status import StatusError

GROUP = "admission.k8s.io"
KNOWN_VERSIONS = ("v1", "v1beta1")
_OPTIONS = {"CREATE": "CreateOptions", "UPDATE": "UpdateOptions", "DELETE": "DeleteOptions"}


class CallFailed(Exception):
    """A webhook could not be asked, or its answer makes no sense; the text says why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a webhook decided."""

    allowed: bool
    status: JsonObject = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    patch: list[JsonObject] = field(default_factory=list)
    patch_type: str = ""


def request_of(attributes: Attributes, resource: ApiResource, definition: ResourceDefinition) -> JsonObject:
    """The ``request`` of an AdmissionReview, in the version of ``resource``; the uid is drawn for each call."""
    own, context = attributes.resource, attributes.context

    def shown(obj: JsonObject | None) -> JsonObject | None:
        if obj is None or resource is own:
            return obj
        return definition.convert(obj, resource.api_version)

    request: JsonObject = {"uid": "", "kind": _kind(resource), "resource": _resource(resource)}
    if context.subresource:
        request["subResource"] = context.subresource
    request |= {"requestKind": _kind(own), "requestResource": _resource(own)}
    if context.subresource:
        request["requestSubResource"] = context.subresource
    if context.name:
        request["name"] = context.name
    namespace = context.name if own.plural == "namespaces" and not own.group else context.namespace
    if namespace:
        request["namespace"] = namespace
    options = {"kind": _OPTIONS[attributes.operation], "apiVersion": "meta.k8s.io/v1", **context.options}
    return request | {
        "operation": attributes.operation,
        "userInfo": user_info(context.user),
        "object": shown(attributes.object),
        "oldObject": shown(attributes.old_object),
        "dryRun": context.dry_run,
        "options": options,
    }


def _kind(resource: ApiResource) -> JsonObject:
    return {"group": resource.group, "version": resource.version, "kind": resource.kind}


def _resource(resource: ApiResource) -> JsonObject:
    return {"group": resource.group, "version": resource.version, "resource": resource.plural}


def read_answer(body: bytes, version: str, uid: str, *, mutating: bool) -> Answer:
    """The answer in the body of a webhook's response.

    Raises:
        CallFailed: it is not one.
    """
    review = _review(body)
    response = review.get("response")
    if not isinstance(response, dict):
        raise CallFailed("received invalid webhook response: webhook response was absent")
    if version == "v1":
        _check(review, response, uid, mutating=mutating)
    result = response.get("status") or {}
    if not isinstance(result, dict):
        why = f"json: cannot unmarshal {go_kind(result)} into Go struct field AdmissionResponse.response.status"
        raise CallFailed(f"failed to call webhook: {why} of type v1.Status")
    return Answer(
        bool(response.get("allowed")),
        result,
        tuple(response.get("warnings") or ()),
        _patch(response) if mutating and response.get("allowed") else [],
        response.get("patchType") or "JSONPatch",
    )


def _review(body: bytes) -> JsonObject:
    try:
        review, _ = read_json(body)
    except StatusError as error:
        raise CallFailed(f"failed to call webhook: {error.message}") from None
    kind, api_version = review.get("kind") or "", review.get("apiVersion") or ""
    group, version = parse_api_version(api_version)
    if not kind:
        raise CallFailed(f"failed to call webhook: Object 'Kind' is missing in '{body.decode(errors='replace')}'")
    if kind != "AdmissionReview" or group != GROUP or version not in KNOWN_VERSIONS:
        scheme = '"pkg/runtime/scheme.go:111"'
        why = f"no kind {quote(kind)} is registered for version {quote(api_version)} in scheme {scheme}"
        raise CallFailed(f"failed to call webhook: {why}")
    return review


def _check(review: JsonObject, response: JsonObject, uid: str, *, mutating: bool) -> None:
    why = ""
    patch, patch_type = response.get("patch"), response.get("patchType")
    version = review["apiVersion"]
    if response.get("uid", "") != uid:
        why = f"expected response.uid={quote(uid)}, got {quote(str(response.get('uid', '')))}"
    elif version != f"{GROUP}/v1":
        expected = f"{GROUP}/v1, Kind=AdmissionReview"
        why = f"expected webhook response of {expected}, got {version}, Kind=AdmissionReview"
    elif not mutating and patch:
        why = "validating webhook may not return response.patch"
    elif not mutating and patch_type is not None:
        why = "validating webhook may not return response.patchType"
    elif mutating and patch and patch_type is None:
        why = "webhook returned response.patch but not response.patchType"
    elif mutating and not patch and patch_type is not None:
        why = "webhook returned response.patchType but not response.patch"
    elif mutating and patch_type == "":
        why = 'webhook returned invalid response.patchType of ""'
    if why:
        raise CallFailed(f"received invalid webhook response: {why}")


def _patch(response: JsonObject) -> list[JsonObject]:
    given = response.get("patch")
    if not given:
        return []
    try:
        operations = decode(base64.b64decode(given, validate=True))
    except (binascii.Error, ValueError, PatchError) as error:
        raise CallFailed(f"received undecodable patch in webhook response: {error}") from None
    if not isinstance(operations, list):
        why = f"json: cannot unmarshal {go_kind(operations)} into Go value of type jsonpatch.Patch"
        raise CallFailed(f"received undecodable patch in webhook response: {why}")
    return operations
