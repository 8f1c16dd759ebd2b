"""A ``Status`` of failure, told as one of :mod:`kubewright.errors`."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from kubewright import errors
from kubewright.errors import ApiError, StatusCause

_BY_CODE: dict[int, type[ApiError]] = {
    cls.code: cls
    for cls in (
        errors.BadRequest,
        errors.Unauthorized,
        errors.Forbidden,
        errors.NotFound,
        errors.MethodNotAllowed,
        errors.NotAcceptable,
        errors.Conflict,
        errors.Gone,
        errors.RequestEntityTooLarge,
        errors.UnsupportedMediaType,
        errors.Invalid,
        errors.TooManyRequests,
        errors.InternalServerError,
        errors.NotImplementedByServer,
        errors.ServiceUnavailable,
        errors.GatewayTimeout,
    )
}

_HINTS = {
    401: "the server does not know these credentials: check the user of the current context in the kubeconfig",
    403: "grant it with a Role and a RoleBinding (kubectl auth can-i … tells what is allowed)",
    410: "list again and watch from there",
}

_NOT_SERVED = (
    "the server does not have this resource (kubectl api-resources lists what it has); "
    "for a custom resource, install its CustomResourceDefinition first"
)
_OWNED_BY_OTHERS = "leave these fields to their managers, or take them over with force=True"
_UNKNOWN_FIELD = ('strict decoding error: unknown field "', "field not declared in schema")


class _Cause(msgspec.Struct):
    reason: str | None = None
    message: str | None = None
    field: str | None = None


class _Details(msgspec.Struct, rename="camel"):
    name: str | None = None
    group: str | None = None
    kind: str | None = None
    uid: str | None = None
    causes: list[_Cause] | None = None
    retry_after_seconds: int | None = None


class _Status(msgspec.Struct, rename="camel"):
    kind: str = ""
    message: str | None = None
    reason: str | None = None
    code: int | None = None
    details: _Details | None = None


_decoder = msgspec.json.Decoder(_Status)


def error_from_response(status: int, headers: Mapping[str, str], body: bytes, *, doing: str) -> ApiError:
    """The error that a response of ``status`` 400 or above stands for; ``doing`` names the request."""
    if headers.get("content-type", "").startswith("application/json") or body.startswith(b"{"):
        try:
            decoded = _decoder.decode(body)
        except msgspec.DecodeError:
            decoded = None
        if decoded is not None and decoded.kind == "Status":
            return _from_status(decoded, status, retry_after(headers))
    return _without_status(status, body, retry_after(headers), doing)


def names_unknown_field(error: ApiError) -> bool:
    """Whether the server refused a field that it does not know."""
    return any(words in str(error) for words in _UNKNOWN_FIELD)


def error_from_event(status: bytes) -> ApiError:
    """The error in the object of a watch's ``ERROR`` event."""
    try:
        return _from_status(_decoder.decode(status), 500, None)
    except msgspec.DecodeError:
        return errors.InternalServerError(f"the watch failed: {status[:500].decode(errors='replace')}")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The ``Retry-After`` header, in seconds; a date there is not what API servers send, and is ignored."""
    value = headers.get("retry-after", "").strip()
    return float(value) if value.isdecimal() else None


def _from_status(status: _Status, code: int, wait: float | None) -> ApiError:
    code = status.code or code
    reason = status.reason or ""
    details = status.details or _Details()
    if wait is None and details.retry_after_seconds:
        wait = float(details.retry_after_seconds)
    cls = _BY_CODE.get(code, ApiError)
    if code == 409 and reason == "AlreadyExists":
        cls = errors.AlreadyExists
    hint = _HINTS.get(code, "")
    if code == 404 and not details.name:
        hint = _NOT_SERVED
    if cls is errors.Conflict:
        owned = any(cause.reason == "FieldManagerConflict" for cause in details.causes or ())
        hint = _OWNED_BY_OTHERS if owned else "read the object again and make the change anew"
    return cls(
        status.message or reason or f"the API server answered {code}",
        code=code,
        reason=reason,
        details={
            name: value
            for name, value in (
                ("name", details.name),
                ("group", details.group),
                ("kind", details.kind),
                ("uid", details.uid),
            )
            if value
        },
        causes=[
            StatusCause(cause.reason or "", cause.message or "", cause.field or "")
            for cause in details.causes or ()
        ],
        retry_after=wait,
        hint=hint,
    )


def _without_status(code: int, body: bytes, wait: float | None, doing: str) -> ApiError:
    text = " ".join(body[:500].decode(errors="replace").split())
    hint = _HINTS.get(code, "")
    if code == 400 and "HTTP request to an HTTPS server" in text:
        hint = "the server in the kubeconfig begins with http://, but the port speaks TLS: write https://"
    elif code == 404:
        hint = _NOT_SERVED
    elif 300 <= code < 400:
        hint = "the server sends us elsewhere, as a login page does: this is not the API server's own address"
    return _BY_CODE.get(code, ApiError)(
        f"{doing}: the server answered {code}" + (f": {text}" if text else ""),
        code=code,
        retry_after=wait,
        hint=hint,
    )
