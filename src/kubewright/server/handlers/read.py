"""get and list."""

from __future__ import annotations

import base64
import posixpath
from collections.abc import Iterable, Iterator

import msgspec

from kubewright.objects import JsonObject
from kubewright.server import fielderrors, status, tables
from kubewright.server.gojson import syntax_error
from kubewright.server.handlers.scope import Scope
from kubewright.server.media import encode
from kubewright.server.options import ListOptions, text
from kubewright.server.selection import Selection, select
from kubewright.server.status import StatusError
from kubewright.server.store import Compacted, Entry
from kubewright.wire import WholeResponse

_EXPIRED = "The resourceVersion for the provided list is too old."
_CONTINUE_EXPIRED = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list "
    "without the continue parameter, or use the continue token in this response to retrieve the remainder of the "
    "results. Continuing with the provided token results in an inconsistent list - objects that "
    "were created, modified, "
    "or deleted between the time the first chunk was returned and now may show up in the list."
)
_INCONSISTENT = -1
"""The revision in a continue token that goes on at whatever is newest."""


class _Token(msgspec.Struct):
    v: str
    rv: int
    start: str


def get(scope: Scope) -> WholeResponse:
    """One object."""
    accepted = scope.accepted()
    asked = ListOptions.parse(scope.query).revision()
    if asked > scope.revision:
        raise too_large(asked, scope.revision)
    entry = scope.resources.get(scope.context.namespace, scope.info.name)
    return scope.respond(scope.resources.raw(entry), accepted)


def list_objects(scope: Scope) -> WholeResponse:
    """The objects of a namespace or of all, or a page of them."""
    accepted = scope.accepted()
    options = ListOptions.parse(scope.query)
    chosen = select(scope.definition, scope.context.namespace, options.label_selector, options.field_selector)
    page = _page(scope, options, chosen)
    metadata: JsonObject = {"resourceVersion": str(page.revision)}
    if scope.definition.custom and not accepted.transform:
        metadata["continue"] = ""
    if page.continue_:
        metadata["continue"] = page.continue_
        if page.remaining is not None:
            metadata["remainingItemCount"] = page.remaining
    if accepted.transform:
        objects = [scope.resources.decode(entry) for entry in page.entries]
        if accepted.transform == tables.TABLE:
            include = text(scope.query, "includeObject")
            whole = tables.table(scope.definition, objects, metadata, include, version=accepted.version)
        else:
            items = [tables.partial_object(obj, accepted.version) for obj in objects]
            whole = {
                "kind": tables.PARTIAL_LIST,
                "apiVersion": f"meta.k8s.io/{accepted.version}",
                "metadata": metadata,
                "items": items,
            }
        return scope.finish(encode(whole), accepted)
    return scope.finish(_joined(scope, metadata, page.entries), accepted)


def _joined(scope: Scope, metadata: JsonObject, entries: list[Entry]) -> bytes:
    resources, resource = scope.resources, scope.definition.resource
    if scope.definition.custom:
        items = [resources.raw(entry) for entry in entries]
    elif resources.converts:
        items = [_without_type(resources.decode(entry)) for entry in entries]
    else:
        # Items of typed lists do not repeat apiVersion and kind, which stand in front of every stored object.
        skip = resources.head_length
        items = [b"{" + entry.raw[skip:] for entry in entries]
    kind = scope.definition.list_kind or f"{resource.kind}List"
    head = b'{"kind":"%s","apiVersion":"%s","metadata":%s,"items":[' % (
        kind.encode(),
        resource.api_version.encode(),
        encode(metadata),
    )
    return head + b",".join(items) + b"]}"


def _without_type(obj: JsonObject) -> bytes:
    return encode({key: value for key, value in obj.items() if key not in ("apiVersion", "kind")})


class _Page(msgspec.Struct):
    entries: list[Entry]
    revision: int
    continue_: str = ""
    remaining: int | None = None


def _page(scope: Scope, options: ListOptions, chosen: Selection) -> _Page:
    table = scope.resources.table
    asked = options.revision()
    start = ""
    revision = scope.revision
    exact = False
    if options.continue_:
        start, at = _decode_continue(options.continue_, chosen.prefix)
        if options.resource_version not in ("", "0"):
            raise status.bad_request("specifying resource version is not allowed when using continue")
        if at != _INCONSISTENT:
            revision, exact = at, True
    elif asked > scope.revision:
        raise too_large(asked, scope.revision)
    elif options.resource_version_match == "Exact" or (
        asked and options.limit and not options.resource_version_match
    ):
        revision, exact = asked, True
    # A list from the cache (resourceVersion=0) is not paged.
    limit = options.limit if options.resource_version != "0" else 0
    try:
        at_revision = table.scan_at(revision, chosen.prefix, start) if exact else table.scan(chosen.prefix, start)
        entries, more = _take(at_revision, chosen, limit)
    except Compacted:
        raise _compacted(options, start, chosen.prefix) from None
    if not more:
        return _Page(entries, revision)
    token = _encode_continue(entries[-1].key + "\0", chosen.prefix, revision)
    remaining = None
    if chosen.everything:
        then = table.scan_at(revision, chosen.prefix, entries[-1].key + "\0")
        remaining = sum(1 for _ in then) if exact else table.count(chosen.prefix, entries[-1].key + "\0")
    return _Page(entries, revision, token, remaining)


def _take(entries: Iterable[Entry], chosen: Selection, limit: int) -> tuple[list[Entry], bool]:
    taken: list[Entry] = []
    if not limit:
        if chosen.everything:
            return list(entries), False
        return [entry for entry in entries if chosen.matches(entry)], False
    rest: Iterator[Entry] = iter(entries)
    for entry in rest:
        if chosen.everything or chosen.matches(entry):
            if len(taken) == limit:
                return taken, True
            taken.append(entry)
    return taken, False


def _encode_continue(key: str, prefix: str, revision: int) -> str:
    token = encode(
        _Token(v="meta.k8s.io/v1", rv=revision, start=("/" if prefix else "") + key.removeprefix(prefix))
    )
    return base64.urlsafe_b64encode(token).decode().rstrip("=")


def _decode_continue(value: str, prefix: str) -> tuple[str, int]:
    try:
        raw = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
    except ValueError as error:
        raise _bad_token(f"continue key is not valid: {error}") from None
    try:
        token = msgspec.json.decode(raw, type=_Token)
    except msgspec.MsgspecError:
        raise _bad_token(f"continue key is not valid: {syntax_error(raw)}") from None
    if token.v != "meta.k8s.io/v1":
        raise _bad_token(f"continue key is not valid: server does not recognize this encoded version {token.v}")
    if token.rv == 0:
        why = "continue key is not valid: incorrect encoded start resourceVersion (version meta.k8s.io/v1)"
        raise _bad_token(why)
    if not token.start:
        raise _bad_token("continue key is not valid: encoded start key empty (version meta.k8s.io/v1)")
    key = token.start if token.start.startswith("/") else f"/{token.start}"
    if posixpath.normpath(key) != key:
        raise _bad_token(f"continue key is not valid: {token.start}")
    return prefix + key[1:], token.rv


def _bad_token(why: str) -> StatusError:
    return status.bad_request(f"invalid continue token: {why}")


def _compacted(options: ListOptions, start: str, prefix: str) -> StatusError:
    if not options.continue_:
        return status.expired(_EXPIRED)
    error = status.expired(_CONTINUE_EXPIRED)
    error.metadata["continue"] = _encode_continue(start, prefix, _INCONSISTENT)
    return error


def too_large(asked: int, current: int) -> StatusError:
    """504: a resourceVersion that has not been reached."""
    error = status.timeout(f"Too large resource version: {asked}, current: {current}", 1)
    causes = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
    error.details = {"causes": causes, "retryAfterSeconds": 1}
    return error


def check_revision(options: ListOptions) -> int:
    """The resourceVersion of a watch.

    Raises:
        StatusError: 500 as apiserver answers: it is no number.
    """
    try:
        return options.revision()
    except StatusError:
        sent = options.resource_version
        why = f'strconv.ParseUint: parsing "{sent}": invalid syntax'
        raise status.failure(500, "", str(fielderrors.invalid("resourceVersion", sent, why).message)) from None
