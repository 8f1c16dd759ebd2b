"""Every exception Kubewright raises.

::

    KubewrightError                    what happened, to which object, and what to do next (``hint``)
    ├── UsageError                     wrong use: a flag, a type, a project (command line: exit code 2)
    │   ├── SchemaError                a Python type that no CRD schema can express
    │   ├── ManifestError              a manifest that cannot be read
    │   ├── InvalidQuantity            a text that is no quantity
    │   ├── InvalidSelector            a label or field selector that cannot be read
    │   ├── KubeconfigError            a kubeconfig that cannot be used
    │   ├── UndeclaredRead             ``seen`` was asked for a kind the controller does not declare
    │   ├── DataError                  a data folder that is damaged, or that another process uses
    │   ├── InvalidDesired             ``desired`` returned children that cannot be applied
    │   └── MissingExtra               a part that ``kubewright[dev]`` installs is not installed
    ├── TransportError                 no answer from the API server
    │   ├── ConnectionFailed           refused, name not found, proxy
    │   │   └── ConnectionBroken       broke off after the request was sent: it may have been carried out
    │   ├── CertificateError           TLS: untrusted, expired, wrong name
    │   └── RequestTimeout             no answer within the request's timeout
    ├── ApiError                       the API server answered with a Status
    │   ├── BadRequest                 400
    │   ├── Unauthorized               401
    │   ├── Forbidden                  403
    │   ├── NotFound                   404
    │   ├── MethodNotAllowed           405
    │   ├── NotAcceptable              406
    │   ├── Conflict                   409
    │   │   └── AlreadyExists          409, reason AlreadyExists
    │   ├── Gone                       410
    │   ├── RequestEntityTooLarge      413
    │   ├── UnsupportedMediaType       415
    │   ├── Invalid                    422
    │   ├── TooManyRequests            429
    │   ├── InternalServerError        500
    │   ├── NotImplementedByServer     501
    │   ├── ServiceUnavailable         503
    │   └── GatewayTimeout             504
    ├── ImageError                     an image that cannot be built, read or written
    │   └── RegistryError              the image registry refused
    ├── PatchError                     a patch that cannot be applied to its document
    ├── DecodeError                    an object that does not fit its type
    ├── NotOurs                        an object of a child's name exists and is not ours
    ├── NotIdle                        an operator has not come to rest in time
    ├── NotLeading                     this replica does not lead, or no longer: it must not write
    ├── Waiting                        ``desired`` cannot say yet; nothing is applied or pruned
    ├── Retry                          ``reconcile`` asks to be called again later
    └── Permanent                      ``reconcile`` failed and trying again will not help
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


class KubewrightError(Exception):
    """The root of all exceptions raised by Kubewright.

    ``str(error)`` says what happened and to which object; ``hint`` says what to do next, or is empty.
    """

    hint: str = ""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        if hint:
            self.hint = hint


class UsageError(KubewrightError):
    """Wrong use: the person calling can put it right. The command line exits with 2."""


class SchemaError(UsageError):
    """A Python type that no CRD structural schema can express; the message names the field's path."""


class ManifestError(UsageError):
    """A manifest that cannot be read; the message names the file, the document and the line."""


class InvalidQuantity(UsageError):
    """A text that is no quantity."""


class InvalidSelector(UsageError):
    """A label or field selector that cannot be read; the message is the API server's."""


class KubeconfigError(UsageError):
    """A kubeconfig that cannot be used; the message names the file and the entry."""


class UndeclaredRead(UsageError):
    """``seen`` was asked for a kind that is in neither ``owns`` nor ``reads`` of the controller."""


class InvalidDesired(UsageError):
    """``desired`` returned children that cannot be applied; the message names the child and the field."""


class DataError(UsageError):
    """A data folder that cannot be used: a file in it is damaged, or another process has it."""


class MissingExtra(UsageError):
    """A part of Kubewright that the base install leaves out is needed."""

    hint = "install it with: pip install 'kubewright[dev]'"


class TransportError(KubewrightError):
    """No answer came from the API server."""


class ConnectionFailed(TransportError):
    """The connection was refused, or its name or proxy was not found."""


class ConnectionBroken(ConnectionFailed):
    """The connection broke off after the request was sent: whether it was carried out is not known."""


class CertificateError(TransportError):
    """The server's certificate is not trusted, is expired, or is for another name."""


class RequestTimeout(TransportError):
    """No answer came within the request's timeout."""


@dataclass(frozen=True, slots=True)
class StatusCause:
    """One cause in ``Status.details.causes``."""

    reason: str = ""
    message: str = ""
    field: str = ""


class ApiError(KubewrightError):
    """The API server answered with a ``Status`` of failure.

    Attributes:
        code: the HTTP status, for instance 409.
        reason: the machine-readable ``Status.reason``, for instance ``AlreadyExists``.
        details: ``Status.details`` (name, group, kind) as it was sent.
        causes: ``Status.details.causes``.
        retry_after: seconds the server asked to wait before trying again, or None.
    """

    code: int = 0

    def __init__(
        self,
        message: str,
        *,
        code: int | None = None,
        reason: str = "",
        details: Mapping[str, str] | None = None,
        causes: Sequence[StatusCause] = (),
        retry_after: float | None = None,
        hint: str = "",
    ) -> None:
        super().__init__(message, hint=hint)
        if code is not None:
            self.code = code
        self.reason = reason
        self.details = dict(details or {})
        self.causes = tuple(causes)
        self.retry_after = retry_after


class BadRequest(ApiError):
    """400: the request could not be understood."""

    code = 400


class Unauthorized(ApiError):
    """401: the credentials were missing or refused."""

    code = 401


class Forbidden(ApiError):
    """403: the credentials may not do this; the message names verb, resource and user."""

    code = 403


class NotFound(ApiError):
    """404: there is no such object, or no such resource."""

    code = 404


class MethodNotAllowed(ApiError):
    """405: the resource does not support this verb."""

    code = 405


class NotAcceptable(ApiError):
    """406: the server cannot answer in the asked media type."""

    code = 406


class Conflict(ApiError):
    """409: the object changed meanwhile, or another field manager owns a field."""

    code = 409


class AlreadyExists(Conflict):
    """409 with reason AlreadyExists: an object of this name is there."""


class Gone(ApiError):
    """410: the resource version or continue token is too old; list again."""

    code = 410


class RequestEntityTooLarge(ApiError):
    """413: the body is too large."""

    code = 413


class UnsupportedMediaType(ApiError):
    """415: the server does not read this content type."""

    code = 415


class Invalid(ApiError):
    """422: the object does not pass validation; ``causes`` names each field."""

    code = 422


class TooManyRequests(ApiError):
    """429: the server asks to slow down; ``retry_after`` says for how long."""

    code = 429


class InternalServerError(ApiError):
    """500: the server failed."""

    code = 500


class NotImplementedByServer(ApiError):
    """501: the server does not have this; the embedded server names what is missing."""

    code = 501


class ServiceUnavailable(ApiError):
    """503: the server, or an aggregated API behind it, is not available."""

    code = 503


class GatewayTimeout(ApiError):
    """504: the server did not finish in time."""

    code = 504


class PatchError(KubewrightError):
    """A patch that cannot be read, or cannot be applied to its document.

    ``code`` is the HTTP status with which an API server refuses it: 400, 413, 422 or 500.
    """

    def __init__(self, message: str, *, code: int = 422, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.code = code


class ImageError(KubewrightError):
    """A container image that cannot be built, read or written; the message names the file, package or platform."""


class RegistryError(ImageError):
    """The image registry refused; ``code`` is the HTTP status it answered with."""

    def __init__(self, message: str, *, code: int, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.code = code


class DecodeError(KubewrightError):
    """An object that does not fit its type; the message names the object and the field's path."""


class NotOurs(KubewrightError):
    """An object of a child's name exists and is not controlled by the custom resource that desires it."""


class NotIdle(KubewrightError):
    """An operator has not come to rest in time; the message says what is still to do."""


class NotLeading(KubewrightError):
    """This replica does not hold its Lease, or no longer: it must not write. The operator ends with this error."""


class Waiting(KubewrightError):
    """Raised by ``seen.require`` and by ``desired``: not yet. Nothing is applied and nothing is pruned.

    ``reason`` becomes the message of the ``Ready`` condition.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Retry(KubewrightError):
    """Raised by ``reconcile`` or ``finalize``: try again after ``after`` seconds, or with backoff if None."""

    def __init__(self, reason: str = "", *, after: float | None = None) -> None:
        super().__init__(reason or "asked to be tried again")
        self.reason = reason
        self.after = after


class Permanent(KubewrightError):
    """Raised by ``reconcile`` or ``finalize``: it failed, and only a change of the object can help.

    The equivalent of controller-runtime's ``TerminalError``.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
