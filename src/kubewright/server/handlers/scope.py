"""What a handler works with: the request, taken apart, and the resource it is about."""

from __future__ import annotations

from dataclasses import dataclass

from kubewright.objects import JsonObject
from kubewright.server import media, tables
from kubewright.server.context import Context
from kubewright.server.media import Accepted
from kubewright.server.options import Query, text
from kubewright.server.registry import ResourceDefinition
from kubewright.server.resource_store import ResourceStore
from kubewright.server.routing import RequestInfo
from kubewright.wire import Request, WholeResponse

_ONE = (tables.TABLE, tables.PARTIAL)
_MANY = (tables.TABLE, tables.PARTIAL_LIST)


@dataclass(slots=True)
class Scope:
    """One request for one resource."""

    request: Request
    info: RequestInfo
    query: Query
    definition: ResourceDefinition
    resources: ResourceStore
    context: Context
    revision: int
    """The store's, when the request came."""

    @property
    def body_type(self) -> str:
        """The media type of the body."""
        return media.content_type(self.request.headers.get("content-type", ""))

    def accepted(self) -> Accepted:
        """What the client wants.

        Raises:
            StatusError: 406.
        """
        transforms = _MANY if self.info.verb == "list" else _ONE
        return media.negotiate(self.request.headers.get("accept", ""), transforms)

    def respond(self, raw: bytes, accepted: Accepted, code: int = 200) -> WholeResponse:
        """One object, as it was asked for."""
        if accepted.transform and code < 300:
            obj = media.decode(raw)
            if obj.get("kind") != "Status":
                raw = media.encode(self._transformed(obj, accepted))
        return self.finish(raw, accepted, code)

    def _transformed(self, obj: JsonObject, accepted: Accepted) -> JsonObject:
        if accepted.transform == tables.PARTIAL:
            return tables.partial_object(obj, accepted.version)
        meta = obj.get("metadata") or {}
        metadata = {"resourceVersion": meta.get("resourceVersion", "")}
        include = text(self.query, "includeObject")
        return tables.table(self.definition, [obj], metadata, include, version=accepted.version)

    def finish(self, body: bytes, accepted: Accepted, code: int = 200) -> WholeResponse:
        """A whole answer with the headers every answer has."""
        if accepted.yaml:
            body = media.to_yaml(body)
        headers = {"content-type": accepted.content_type, "cache-control": "no-cache, private"}
        if self.context.warnings:
            headers["warning"] = warning_header(self.context.warnings)
        if len(body) > media.GZIP_THRESHOLD and "gzip" in self.request.headers.get("accept-encoding", ""):
            body = media.compress(body)
            headers["content-encoding"] = "gzip"
            headers["vary"] = "Accept-Encoding"
        return WholeResponse(code, headers, body)


def warning_header(warnings: list[str]) -> str:
    """``Warning`` headers, joined: code 299, no agent, each text once."""
    return ", ".join(f"299 - {_quoted(warning)}" for warning in dict.fromkeys(warnings))


def _quoted(text: str) -> str:
    clean = "".join(char if char.isprintable() else " " for char in text)
    escaped = clean.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
