"""delete and deletecollection."""

from __future__ import annotations

from kubewright.objects import JsonObject
from kubewright.server import bodies, media, status
from kubewright.server.deletion import delete as delete_object
from kubewright.server.handlers.read import list_objects
from kubewright.server.handlers.scope import Scope, warning_header
from kubewright.server.options import DeleteOptions, ListOptions
from kubewright.server.selection import select
from kubewright.server.status import StatusError
from kubewright.wire import WholeResponse


def _options(scope: Scope) -> DeleteOptions:
    body: JsonObject | None = None
    if scope.request.body:
        body, _ = bodies.read_object(scope.request.body, scope.body_type)
        kind = body.get("kind")
        if kind and kind != "DeleteOptions":
            raise status.bad_request("decoded object cannot be converted to DeleteOptions")
    options = DeleteOptions.parse(scope.query, body)
    scope.context.dry_run = options.dry_run
    scope.context.options = options.to_object()
    return options


async def delete(scope: Scope) -> WholeResponse:
    """DELETE of one object."""
    accepted = scope.accepted()
    options = _options(scope)
    deleted = await delete_object(scope.resources, scope.info.name, options, scope.context)
    pending = not deleted.gone and options.orphan_dependents is False
    return scope.respond(deleted.body, accepted, 202 if pending else 200)


async def delete_collection(scope: Scope) -> WholeResponse:
    """DELETE of all that a selection names; answers with what it found."""
    options = _options(scope)
    asked = ListOptions.parse(scope.query)
    listed = list_objects(scope)
    chosen = select(scope.definition, scope.context.namespace, asked.label_selector, asked.field_selector)
    entries = [entry for entry in scope.resources.table.scan(chosen.prefix) if chosen.matches(entry)]
    if asked.limit:
        entries = entries[: asked.limit]
    for entry in entries:
        scope.context.namespace = entry.namespace
        try:
            await delete_object(scope.resources, entry.name, options, scope.context)
        except StatusError as error:
            if error.code != 404:
                raise
    listed.headers = {**listed.headers, "content-type": media.JSON}
    if scope.context.warnings:
        listed.headers["warning"] = warning_header(scope.context.warnings)
    return listed
