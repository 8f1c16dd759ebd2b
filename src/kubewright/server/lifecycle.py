"""The life of namespaces, as far as it decides on writes of other objects (NamespaceLifecycle admission)."""

from __future__ import annotations

from kubewright.objects import ApiResource
from kubewright.server import status
from kubewright.server.context import Context

_IMMORTAL = frozenset({"default", "kube-system", "kube-public"})


def check_create(resource: ApiResource, context: Context) -> None:
    """Nothing is created in a namespace that is not there or that is going away.

    Raises:
        StatusError: 404 or 403.
    """
    namespace = context.namespace
    if not resource.namespaced:
        return
    found = context.lookups.get("", "namespaces", "", namespace)
    if found is None:
        raise status.not_found("", "namespaces", namespace)
    if (found.get("status") or {}).get("phase") == "Terminating":
        why = f"unable to create new content in namespace {namespace} because it is being terminated"
        cause = {
            "reason": "NamespaceTerminating",
            "message": f"namespace {namespace} is being terminated",
            "field": "metadata.namespace",
        }
        raise status.forbidden(resource.group, resource.plural, context.name, why, causes=[cause])


def check_delete(resource: ApiResource, name: str) -> None:
    """Some namespaces are never deleted.

    Raises:
        StatusError: 403.
    """
    if resource.plural == "namespaces" and not resource.group and name in _IMMORTAL:
        raise status.forbidden("", "namespaces", name, "this namespace may not be deleted")
