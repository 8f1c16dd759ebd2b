"""What a request is about, read from its method and path as apiserver's RequestInfo reads it."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote

from kubewright.server import status
from kubewright.server.gotext import quote

_VERBS = {"POST": "create", "GET": "get", "HEAD": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_NAMESPACE_SUBRESOURCES = frozenset({"status", "finalize"})


@dataclass(frozen=True, slots=True)
class RequestInfo:
    """The parts of a request for a resource.

    Attributes:
        verb: get, list, watch, create, update, patch, delete, deletecollection, or proxy.
        group: the API group, empty for the core.
        version: the version.
        resource: the plural.
        namespace: empty for the cluster scope; of a namespace itself: its name.
        name: empty for collections.
        subresource: the first part after the name.
        rest: what follows the subresource (a proxied path).
    """

    verb: str
    group: str
    version: str
    resource: str
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    rest: tuple[str, ...] = ()


def split_path(path: str) -> list[str]:
    """The decoded segments of ``path``; a slash that was percent-encoded stays within its segment."""
    trimmed = path.strip("/")
    return [unquote(part) for part in trimmed.split("/")] if trimmed else []


def check_name(name: str) -> None:
    """Refuse what cannot be a segment of a path.

    Raises:
        StatusError: 404 with a slash in it, 400 if it leads elsewhere.
    """
    if "/" in name:
        raise status.path_not_found()
    if name in (".", ".."):
        raise status.bad_request(f"Name parameter invalid: {quote(name)}: may not be '{name}'")
    if "%" in name:
        raise status.bad_request(f"Name parameter invalid: {quote(name)}: may not contain '%'")


def parse_resource_request(method: str, parts: list[str], *, watch: bool) -> RequestInfo | None:
    """The request for a resource that ``parts`` name, or None if they name something else.

    Args:
        method: the HTTP method.
        parts: see :func:`split_path`.
        watch: the query asks for a watch.
    """
    if len(parts) < 3 or parts[0] not in ("api", "apis"):
        return None
    if parts[0] == "apis":
        if len(parts) < 4:
            return None
        group, version, parts = parts[1], parts[2], parts[3:]
    else:
        group, version, parts = "", parts[1], parts[2:]
    verb = _VERBS.get(method, "")
    special = parts[0] if parts[0] in ("watch", "proxy") and len(parts) > 1 else ""
    if special:
        verb, parts = special, parts[1:]
    namespace = ""
    if parts[0] == "namespaces" and len(parts) > 1:
        namespace = parts[1]
        if len(parts) > 2 and parts[2] not in _NAMESPACE_SUBRESOURCES:
            parts = parts[2:]
    name = parts[1] if len(parts) > 1 else ""
    if not name:
        if verb == "get":
            verb = "watch" if watch else "list"
        elif verb == "delete":
            verb = "deletecollection"
    return RequestInfo(
        verb=verb,
        group=group,
        version=version,
        resource=parts[0],
        namespace=namespace,
        name=name,
        subresource=parts[2] if len(parts) > 2 and not special else "",
        rest=tuple(parts[3:]),
    )
