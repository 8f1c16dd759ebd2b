"""create, update, patch: from a body to an object that is stored."""

from __future__ import annotations

from kubewright.objects import JsonObject
from kubewright.server import bodies, media, status
from kubewright.server.handlers.decoding import accept_object, read_body
from kubewright.server.handlers.patching import patcher
from kubewright.server.handlers.scope import Scope
from kubewright.server.lifecycle import check_create
from kubewright.server.options import WriteOptions, text
from kubewright.server.registry import Strategy
from kubewright.wire import WholeResponse

_TOLD = ("fieldManager", "fieldValidation")
"""Options that admission is told of."""


async def create(scope: Scope) -> WholeResponse:
    """POST to a collection."""
    accepted = scope.accepted()
    obj, duplicates = read_body(scope)
    options = WriteOptions.parse(scope.query, "CreateOptions")
    prepare_context(scope, options)
    obj = accept_object(scope, obj, duplicates, options)
    scope.context.name = obj["metadata"].get("name") or ""
    check_create(scope.definition.resource, scope.context)
    written = await scope.resources.create(obj, scope.context)
    return scope.respond(written.raw, accepted, 201)


async def update(scope: Scope) -> WholeResponse:
    """PUT of an object, or of a subresource of it that is written like one."""
    accepted = scope.accepted()
    obj, duplicates = read_body(scope)
    options = WriteOptions.parse(scope.query, "UpdateOptions")
    prepare_context(scope, options)
    obj = accept_object(scope, obj, duplicates, options)
    meta = obj["metadata"]
    if meta.get("name") and meta["name"] != scope.info.name:
        why = f"the name of the object ({meta['name']}) does not match the name on the URL ({scope.info.name})"
        raise status.bad_request(why)
    if not meta.get("name"):
        why = f"the name of the object ({scope.info.name} based on URL) was undeterminable: name must be provided"
        raise status.bad_request(why)
    given = media.encode(obj)
    first = True

    def replacement(_: JsonObject | None) -> JsonObject:
        # The object is changed while it is stored; a second attempt starts from what was sent.
        nonlocal first
        if first:
            first = False
            return obj
        again: JsonObject = media.decode(given)
        return again

    written = await scope.resources.update(
        scope.info.name,
        replacement,
        scope.context,
        strategy=subresource_strategy(scope),
        uid=meta.get("uid"),
    )
    return scope.respond(written.raw, accepted, 201 if written.created else 200)


async def patch(scope: Scope) -> WholeResponse:
    """PATCH, of any kind."""
    accepted = scope.accepted()
    bodies.check_size(scope.request.body)
    kind = scope.body_type
    applies = kind == media.APPLY_PATCH
    understood = {media.JSON_PATCH, media.MERGE_PATCH, media.APPLY_PATCH}
    if scope.definition.strategy.strategic_merge and not scope.definition.custom:
        understood.add(media.STRATEGIC_MERGE_PATCH)
    if kind not in understood:
        if scope.definition.custom:
            raise status.unsupported_media_type((media.JSON_PATCH, media.MERGE_PATCH, media.APPLY_PATCH))
        raise status.unsupported_patch_type()
    options = WriteOptions.parse(scope.query, "PatchOptions", apply=applies)
    prepare_context(scope, options)
    if applies:
        check_namespace_of_apply(scope)
    change = patcher(scope, kind, options)
    written = await scope.resources.update(
        scope.info.name,
        change,
        scope.context,
        strategy=subresource_strategy(scope),
        tracked=applies,
        create=applies and not scope.info.subresource,
    )
    return scope.respond(written.raw, accepted, 201 if written.created else 200)


def subresource_strategy(scope: Scope) -> Strategy | None:
    """The strategy of the subresource the request is for; None for the resource itself."""
    return scope.definition.subresources[scope.info.subresource] if scope.info.subresource else None


def prepare_context(scope: Scope, options: WriteOptions) -> None:
    """Put into the context what the options say."""
    scope.context.dry_run = options.dry_run
    scope.context.options = {name: text(scope.query, name) for name in _TOLD if name in scope.query}
    if options.dry_run:
        scope.context.options["dryRun"] = ["All"]
    agent = scope.request.headers.get("user-agent", "").partition("/")[0]
    scope.context.field_manager = options.field_manager or agent[:128] or "unknown"


def check_namespace_of_apply(scope: Scope) -> None:
    """An apply that would create needs a namespace to create in."""
    key = scope.resources.key(scope.context.namespace, scope.info.name)
    if key not in scope.resources.table.objects:
        check_create(scope.definition.resource, scope.context)
