"""Subresources: status and its like, scale, and actions."""

from __future__ import annotations

from dataclasses import replace

from kubewright.server import bodies, media, status
from kubewright.server.handlers import answering, read, write
from kubewright.server.handlers.scale import scale
from kubewright.server.handlers.scope import Scope
from kubewright.server.registry import ActionRequest
from kubewright.wire import Response


async def answer(scope: Scope) -> Response:
    """Carry out a request for a subresource."""
    definition, info = scope.definition, scope.info
    name = info.subresource
    if name in definition.subresources:
        if info.verb == "get":
            return read.get(scope)
        if info.verb == "update":
            return await write.update(scope)
        if info.verb == "patch":
            return await write.patch(scope)
        if definition.custom:
            resource = definition.resource
            raise status.method_not_supported(resource.group, resource.plural, info.verb)
        raise status.method_not_allowed()
    if name == "scale" and definition.scale is not None:
        return await scale(scope, definition.scale)
    if name in definition.creates:
        if info.verb != "create":
            raise status.method_not_allowed()
        return await answering.create(replace(scope, definition=definition.creates[name]))
    if name in definition.actions:
        body = None
        if scope.request.body:
            body, _ = bodies.read_object(scope.request.body, scope.body_type)
        if info.verb == "create":
            await scope.resources.admit_posted(body, scope.context)
        outcome = await definition.actions[name](ActionRequest(scope.context, scope.request, body, scope.resources))
        if isinstance(outcome, Response):
            return outcome
        return scope.finish(media.encode(outcome), scope.accepted(), 201 if info.verb == "create" else 200)
    if name in definition.missing_subresources:
        raise status.not_implemented(f"{definition.resource.group_resource}/{name}")
    if definition.custom and info.name:
        raise status.not_found(definition.resource.group, definition.resource.plural, info.name)
    raise status.path_not_found()
