"""From a body's tree to an object of the right type, pruned and defaulted."""

from __future__ import annotations

from kubewright.objects import ApiResource, JsonObject, parse_api_version
from kubewright.server import bodies, fielderrors, metadata, status, writepath
from kubewright.server.gojson import go_kind, summary
from kubewright.server.gotext import quote
from kubewright.server.handlers.scope import Scope
from kubewright.server.options import WriteOptions
from kubewright.server.status import StatusError

SCHEME = '"pkg/runtime/scheme.go:111"'
"""What apiserver calls its table of built-in kinds in error messages."""


def read_body(scope: Scope) -> tuple[JsonObject, list[str]]:
    """The object in the request's body, and what strict decoding says of it.

    Raises:
        StatusError: it cannot be read.
    """
    body = scope.request.body
    try:
        return bodies.read_object(body, scope.body_type, protobuf=not scope.definition.custom)
    except StatusError as error:
        if error.code != 400:
            raise
        kind = scope.definition.resource.kind
        why = f"the object provided is unrecognized (must be of type {kind}): {error.message} ({summary(body)})"
        raise status.bad_request(why) from None


def accept_object(scope: Scope, obj: JsonObject, duplicates: list[str], options: WriteOptions) -> JsonObject:
    """Check the type of a body and clean it: prune, default, complain about what strict decoding finds.

    Raises:
        StatusError: 400, it is of another type, or not strictly right where that is asked for.
    """
    check_type(scope, obj)
    complaints = duplicates + clean(scope, obj)
    report(scope, complaints, options)
    return obj


def clean(scope: Scope, obj: JsonObject, *, applied: bool = False) -> list[str]:
    """Prune and default ``obj``; the complaints of strict decoding."""
    meta = obj.get("metadata")
    if meta is None:
        obj["metadata"] = {}
    elif not isinstance(meta, dict):
        kind, version = scope.definition.resource.kind, scope.definition.resource.version
        there = go_kind(meta)
        why = f"json: cannot unmarshal {there} into Go struct field {kind}.metadata of type v1.ObjectMeta"
        raise status.bad_request(f"{kind} in version {quote(version)} cannot be handled as a {kind}: {why}")
    elif scope.definition.custom and (why := metadata.type_problem(meta)):
        kind, version = scope.definition.resource.kind, scope.definition.resource.version
        raise status.bad_request(f"{kind} in version {quote(version)} cannot be handled as a {kind}: {why}")
    unknown = writepath.clean(scope.definition, obj, applied=applied)
    metadata.tidy(obj["metadata"])
    return [f"unknown field {quote(path)}" for path in unknown]


def report(scope: Scope, complaints: list[str], options: WriteOptions) -> None:
    """Refuse, warn of or ignore what strict decoding complains about."""
    if not complaints or options.field_validation == "Ignore":
        return
    if options.field_validation == "Warn":
        scope.context.warnings += complaints
        return
    kind, version = scope.definition.resource.kind, scope.definition.resource.version
    raise status.bad_request(
        f"{kind} in version {quote(version)} cannot be handled as a {kind}: "
        f"strict decoding error: {', '.join(complaints)}"
    )


def check_type(scope: Scope, obj: JsonObject) -> None:
    """Refuse an object of another kind or version; fill in what a body may leave out.

    Raises:
        StatusError: 400.
    """
    resource = scope.definition.resource
    kind, version = obj.get("kind"), obj.get("apiVersion")
    if scope.definition.custom:
        if not kind:
            body = scope.request.body
            why = f"Object 'Kind' is missing in '{body.decode(errors='replace')}'"
            raise status.bad_request(
                f"the object provided is unrecognized (must be of type {resource.kind}): {why} ({summary(body)})"
            )
        if version != resource.api_version:
            raise status.bad_request(
                f"the API version in the data ({version or ''}) does not match the expected API version "
                f"({resource.api_version})"
            )
        if kind != resource.kind:
            error = fielderrors.invalid("kind", kind, f"must be {resource.kind}")
            name = (obj.get("metadata") or {}).get("name", "")
            raise status.invalid(resource.group, kind, name, [error])
    if version and version != resource.api_version:
        shown = kind or resource.kind
        said = parse_api_version(version)[1]
        why = f"no kind {quote(shown)} is registered for version {quote(version)} in scheme {SCHEME}"
        raise status.bad_request(f"{shown} in version {quote(said)} cannot be handled as a {resource.kind}: {why}")
    if kind and kind != resource.kind:
        why = unknown_conversion(kind, resource)
        version_said = quote(resource.version)
        raise status.bad_request(f"{kind} in version {version_said} cannot be handled as a {resource.kind}: {why}")
    obj["apiVersion"], obj["kind"] = resource.api_version, resource.kind


def unknown_conversion(kind: str, resource: ApiResource) -> str:
    """Why an object of another kind is no such resource."""
    internal = resource.group.partition(".")[0] or "core"
    return f"converting ({resource.version}.{kind}) to ({internal}.{resource.kind}): unknown conversion"
