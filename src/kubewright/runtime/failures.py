"""What a failure means to a reconcile, and how the log tells it."""

from __future__ import annotations

from kubewright.errors import ApiError, Forbidden, KubewrightError, TransportError


def is_namespace_going(error: ApiError | TransportError) -> bool:
    """Whether a creation was refused because its namespace is being deleted: our object soon will be too."""
    return isinstance(error, Forbidden) and any(cause.reason == "NamespaceTerminating" for cause in error.causes)


def told(error: KubewrightError) -> str:
    """What happened and what to do next, in one line."""
    return f"{error} ({error.hint})" if error.hint else str(error)
