"""The ``scale`` subresource: autoscaling/v1 Scale over any object that says where its replicas are."""

from __future__ import annotations

from typing import Any

from kubewright.errors import InvalidSelector
from kubewright.objects import JsonObject, label_selector, parse_api_version
from kubewright.server import bodies, fielderrors, media, status
from kubewright.server.handlers.patching import patched_body
from kubewright.server.handlers.scope import Scope
from kubewright.server.options import WriteOptions
from kubewright.server.registry import Scale
from kubewright.wire import WholeResponse

API_VERSION = "autoscaling/v1"


async def scale(scope: Scope, where: Scale) -> WholeResponse:
    """get, update or patch the scale."""
    from kubewright.server.handlers.write import prepare_context

    accepted = scope.accepted()
    verb = scope.info.verb
    if verb == "get":
        entry = scope.resources.get(scope.context.namespace, scope.info.name)
        return scope.finish(media.encode(scale_of(scope.resources.decode(entry), where)), accepted)
    if verb not in ("update", "patch"):
        raise status.method_not_allowed()
    applies = scope.body_type == media.APPLY_PATCH
    options = WriteOptions.parse(scope.query, "PatchOptions" if verb == "patch" else "UpdateOptions", apply=applies)
    prepare_context(scope, options)
    if applies:
        raise status.not_implemented(f"server-side apply of {scope.definition.resource.group_resource}/scale")
    sent: JsonObject | None = None
    if verb == "update":
        sent, _ = bodies.read_object(scope.request.body, scope.body_type)

    def change(live: JsonObject | None) -> JsonObject:
        assert live is not None  # noqa: S101 - scale never creates
        asked = sent if sent is not None else patched_body(scope, scale_of(live, where))
        _check(asked, live, scope)
        replicas = (asked.get("spec") or {}).get("replicas", 0)
        if not isinstance(replicas, int) or isinstance(replicas, bool):
            raise status.bad_request(
                'Scale in version "v1" cannot be handled as a Scale: spec.replicas is no integer'
            )
        if replicas < 0:
            raise _negative(scope, replicas, where, live["metadata"]["name"])
        set_path(live, where.spec_replicas, replicas)
        version = (asked.get("metadata") or {}).get("resourceVersion")
        if version:
            live["metadata"]["resourceVersion"] = version
        return live

    written = await scope.resources.update(scope.info.name, change, scope.context)
    return scope.finish(media.encode(scale_of(media.decode(written.raw), where)), accepted)


def _negative(scope: Scope, replicas: int, where: Scale, name: str) -> status.StatusError:
    if not scope.definition.custom:
        error = fielderrors.invalid("spec.replicas", replicas, "must be greater than or equal to 0")
        return status.invalid("autoscaling", "Scale", name, [error])
    error = fielderrors.invalid(where.spec_replicas, replicas, "should be a non-negative integer")
    return status.invalid(scope.definition.resource.group, scope.definition.resource.kind, name, [error])


def _check(asked: JsonObject, live: JsonObject, scope: Scope) -> None:
    kind, version = asked.get("kind", "Scale"), asked.get("apiVersion", API_VERSION)
    if (kind, version) != ("Scale", API_VERSION):
        said = parse_api_version(version)[1]
        raise status.bad_request(f'{kind} in version "{said}" cannot be handled as a Scale')
    meta = asked.get("metadata") or {}
    name = meta.get("name")
    if name and name != live["metadata"]["name"]:
        why = f"the name of the object ({name}) does not match the name on the URL ({scope.info.name})"
        raise status.bad_request(why)
    there = live["metadata"]["uid"]
    if meta.get("uid") and meta["uid"] != there:
        resource = scope.definition.resource
        why = f"Precondition failed: UID in precondition: {meta['uid']}, UID in object meta: {there}"
        raise status.conflict(resource.group, resource.plural, live["metadata"]["name"], why)


def scale_of(obj: JsonObject, where: Scale) -> JsonObject:
    """The Scale of an object."""
    meta = obj["metadata"]
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    spec: JsonObject = {}
    replicas = get_path(obj, where.spec_replicas)
    if replicas:
        spec["replicas"] = replicas
    answer: JsonObject = {
        "kind": "Scale",
        "apiVersion": API_VERSION,
        "metadata": {key: meta[key] for key in kept if key in meta},
        "spec": spec,
        "status": {"replicas": get_path(obj, where.status_replicas) or 0},
    }
    selector = get_path(obj, where.label_selector) if where.label_selector else None
    if isinstance(selector, dict):
        try:
            selector = str(label_selector(selector))
        except InvalidSelector:
            selector = None
    if selector:
        answer["status"]["selector"] = selector
    return answer


def get_path(obj: JsonObject, path: str) -> Any:
    """The value at a simple JSON path, or None."""
    value: Any = obj
    for key in path.strip(".").split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def set_path(obj: JsonObject, path: str, value: Any) -> None:
    """Set the value at a simple JSON path, making the objects on the way."""
    *way, last = path.strip(".").split(".")
    for key in way:
        obj = obj.setdefault(key, {})
    obj[last] = value
