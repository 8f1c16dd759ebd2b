"""create of what is answered and not stored: reviews, and requests for tokens."""

from __future__ import annotations

from kubewright.server import media, metadata, status, writepath
from kubewright.server.handlers.decoding import accept_object, read_body
from kubewright.server.handlers.scope import Scope
from kubewright.server.handlers.write import prepare_context
from kubewright.server.options import WriteOptions
from kubewright.server.registry import ActionRequest
from kubewright.wire import Response


async def create(scope: Scope) -> Response:
    """POST of an object that asks for something: the answer is the same object, with a status."""
    definition = scope.definition
    if definition.answer_create is None:
        raise status.not_implemented(definition.missing)
    accepted = scope.accepted()
    obj, duplicates = read_body(scope)
    options = WriteOptions.parse(scope.query, "CreateOptions")
    prepare_context(scope, options)
    obj = accept_object(scope, obj, duplicates, options)
    metadata.match_namespace(obj["metadata"], scope.context.namespace)
    writepath.track_update(definition, None, obj, scope.context)
    outcome = await definition.answer_create(ActionRequest(scope.context, scope.request, obj, scope.resources))
    if isinstance(outcome, Response):
        return outcome
    definition.strategy.default(outcome)
    outcome["metadata"] = metadata.ordered(outcome["metadata"])
    return scope.respond(media.encode(outcome), accepted, 201)
