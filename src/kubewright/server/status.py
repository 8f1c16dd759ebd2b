"""What the API server answers when it does not do as asked: ``Status`` objects, worded as Kubernetes words them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from kubewright.objects import JsonObject
from kubewright.server.fielderrors import FieldError, aggregate
from kubewright.server.gotext import quote
from kubewright.wire import WholeResponse

_encode = msgspec.json.Encoder().encode


class StatusError(Exception):
    """A failure, as the ``Status`` that the client will read.

    Attributes:
        code: the HTTP status.
        reason: the machine-readable reason: ``NotFound``, ``Conflict``, …
        message: what a person reads.
        details: ``Status.details`` without empty entries, or None.
        metadata: ``Status.metadata``, empty but for lists that cannot be continued as they were.
    """

    def __init__(self, code: int, reason: str, message: str, details: JsonObject | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details
        self.metadata: JsonObject = {}

    def to_object(self) -> JsonObject:
        """The ``Status`` object."""
        status: JsonObject = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": self.metadata,
            "status": "Failure",
            "message": self.message,
        }
        if self.reason:
            status["reason"] = self.reason
        if self.details is not None:
            status["details"] = self.details
        status["code"] = self.code
        return status

    def to_response(self) -> WholeResponse:
        """The ``Status`` as a response, with ``Retry-After`` where the details ask for it."""
        headers = {"content-type": "application/json"}
        if self.details and (seconds := self.details.get("retryAfterSeconds")):
            headers["retry-after"] = str(seconds)
        return WholeResponse(self.code, headers, _encode(self.to_object()))


def _details(
    group: str = "",
    kind: str = "",
    name: str = "",
    *,
    uid: str = "",
    causes: Sequence[JsonObject] = (),
    retry_after_seconds: int = 0,
) -> JsonObject:
    pairs = {
        "name": name,
        "group": group,
        "kind": kind,
        "uid": uid,
        "causes": list(causes),
        "retryAfterSeconds": retry_after_seconds,
    }
    return {key: value for key, value in pairs.items() if value}


def _qualified(group: str, word: str) -> str:
    return f"{word}.{group}" if group else word


def failure(code: int, reason: str, message: str) -> StatusError:
    """A status without details."""
    return StatusError(code, reason, message)


def not_found(group: str, resource: str, name: str) -> StatusError:
    """404: no object ``name`` among ``resource``."""
    message = f"{_qualified(group, resource)} {quote(name)} not found"
    return StatusError(404, "NotFound", message, _details(group, resource, name))


def path_not_found() -> StatusError:
    """404: the server serves no such resource."""
    return StatusError(404, "NotFound", "the server could not find the requested resource", {})


def already_exists(group: str, resource: str, name: str) -> StatusError:
    """409: an object ``name`` is there."""
    message = f"{_qualified(group, resource)} {quote(name)} already exists"
    return StatusError(409, "AlreadyExists", message, _details(group, resource, name))


def generate_name_conflict(group: str, resource: str, name: str) -> StatusError:
    """409: every name that was generated was taken."""
    message = (
        f"{_qualified(group, resource)} {quote(name)} already exists, "
        "the server was not able to generate a unique name for the object"
    )
    return StatusError(409, "AlreadyExists", message, _details(group, resource, name, retry_after_seconds=1))


def conflict(group: str, resource: str, name: str, why: str) -> StatusError:
    """409: the object is not in the state the request presumes."""
    message = f"Operation cannot be fulfilled on {_qualified(group, resource)} {quote(name)}: {why}"
    return StatusError(409, "Conflict", message, _details(group, resource, name))


OPTIMISTIC_LOCK = "the object has been modified; please apply your changes to the latest version and try again"


def modified_meanwhile(group: str, resource: str, name: str) -> StatusError:
    """409: the resourceVersion sent is not the object's."""
    return conflict(group, resource, name, OPTIMISTIC_LOCK)


def apply_conflict(message: str, causes: Sequence[JsonObject]) -> StatusError:
    """409: other field managers own fields that an apply would change."""
    return StatusError(409, "Conflict", message, _details(causes=causes))


def invalid(group: str, kind: str, name: str, errors: Iterable[FieldError]) -> StatusError:
    """422: the object does not pass validation."""
    found = list(errors)
    message = f"{_qualified(group, kind)} {quote(name)} is invalid"
    if found:
        message += f": {aggregate(found)}"
    details = _details(group, kind, name, causes=[error.cause() for error in found])
    return StatusError(422, "Invalid", message, details)


def bad_request(message: str) -> StatusError:
    """400: the request makes no sense."""
    return StatusError(400, "BadRequest", message)


def unauthorized(message: str = "Unauthorized") -> StatusError:
    """401: no credentials, or wrong ones."""
    return StatusError(401, "Unauthorized", message)


def forbidden(group: str, resource: str, name: str, why: str, *, causes: Sequence[JsonObject] = ()) -> StatusError:
    """403: policy or state forbids it."""
    qualified = _qualified(group, resource)
    if not qualified:
        message = f"forbidden: {why}"
    elif name:
        message = f"{qualified} {quote(name)} is forbidden: {why}"
    else:
        message = f"{qualified} is forbidden: {why}"
    return StatusError(403, "Forbidden", message, _details(group, resource, name, causes=causes))


def method_not_supported(group: str, resource: str, action: str) -> StatusError:
    """405: the resource does not have this verb."""
    message = f"{action} is not supported on resources of kind {quote(_qualified(group, resource))}"
    return StatusError(405, "MethodNotAllowed", message, _details(group, resource))


def method_not_allowed() -> StatusError:
    """405: the path does not take this HTTP method."""
    message = "the server does not allow this method on the requested resource"
    return StatusError(405, "MethodNotAllowed", message, {})


def not_acceptable(served: Sequence[str]) -> StatusError:
    """406: none of the media types asked for is one the server writes."""
    message = f"406: Not Acceptable\n\nAvailable representations: {', '.join(served)}"
    return StatusError(406, "NotAcceptable", message, {})


def unsupported_media_type(understood: Sequence[str]) -> StatusError:
    """415: the body's content type is not one the server reads."""
    message = "the body of the request was in an unknown format - accepted media types include: " + ", ".join(
        understood
    )
    return StatusError(415, "UnsupportedMediaType", message)


def unsupported_patch_type() -> StatusError:
    """415: the resource does not take this kind of patch."""
    return StatusError(415, "UnsupportedMediaType", "415: Unsupported Media Type", {})


def gone(message: str) -> StatusError:
    """410: no longer there, with reason ``Gone``."""
    return StatusError(410, "Gone", message)


def expired(message: str) -> StatusError:
    """410 with reason ``Expired``: the resource version or continue token is no longer in the history."""
    return StatusError(410, "Expired", message)


def request_entity_too_large(limit: int) -> StatusError:
    """413: more than ``limit`` bytes."""
    return StatusError(413, "RequestEntityTooLarge", f"Request entity too large: limit is {limit}")


def request_entity_too_large_because(why: str) -> StatusError:
    """413, for another reason than bytes."""
    return StatusError(413, "RequestEntityTooLarge", f"Request entity too large: {why}")


def too_many_requests(message: str, retry_after_seconds: int) -> StatusError:
    """429: try again later."""
    return StatusError(429, "TooManyRequests", message, _details(retry_after_seconds=retry_after_seconds))


def internal_error(message: str) -> StatusError:
    """500: the server failed."""
    return StatusError(
        500, "InternalError", f"Internal error occurred: {message}", _details(causes=[{"message": message}])
    )


def not_implemented(what: str) -> StatusError:
    """501: the embedded server does not have ``what``, and says so instead of pretending."""
    message = f"the embedded API server does not implement {what}"
    return StatusError(501, "NotImplemented", message)


def service_unavailable(message: str) -> StatusError:
    """503: not ready, or shutting down."""
    return StatusError(503, "ServiceUnavailable", message)


def timeout(message: str, retry_after_seconds: int = 0) -> StatusError:
    """504: it took too long."""
    return StatusError(504, "Timeout", f"Timeout: {message}", _details(retry_after_seconds=retry_after_seconds))


def success(*, group: str = "", kind: str = "", name: str = "", uid: str = "") -> JsonObject:
    """The ``Status`` that a finished delete answers with."""
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": _details(group, kind, name, uid=uid),
    }
