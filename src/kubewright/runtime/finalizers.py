"""Our finalizer: put on where ``finalize`` exists, taken away once it has run, or where it is no more."""

from __future__ import annotations

from kubewright.objects import JsonObject, MetaHead

DOMAIN = "kubewright.dev"


def finalizer_name(operator: str, controller: str) -> str:
    """The finalizer of one controller."""
    return f"{DOMAIN}/{operator}.{controller}"


def add_finalizer(head: MetaHead, name: str) -> list[JsonObject]:
    """The JSON patch that adds ``name``, to this very object in this very state."""
    if head.finalizers:
        return [*_guard(head), {"op": "add", "path": "/metadata/finalizers/-", "value": name}]
    return [*_guard(head), {"op": "add", "path": "/metadata/finalizers", "value": [name]}]


def remove_finalizer(head: MetaHead, name: str) -> list[JsonObject]:
    """The JSON patch that removes ``name``, from this very object in this very state."""
    index = head.finalizers.index(name)
    return [*_guard(head), {"op": "remove", "path": f"/metadata/finalizers/{index}"}]


def _guard(head: MetaHead) -> list[JsonObject]:
    return [
        {"op": "test", "path": "/metadata/uid", "value": head.uid},
        {"op": "test", "path": "/metadata/resourceVersion", "value": head.resource_version},
    ]
