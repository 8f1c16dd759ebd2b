"""The operator framework for Python.

Each name is loaded when it is first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kubewright.errors import KubewrightError, Permanent, Retry, Waiting
    from kubewright.objects import (
        Atomic,
        Column,
        Condition,
        IntOrString,
        LabelSelector,
        ListMap,
        ListSet,
        Meta,
        Model,
        ObjectMeta,
        Quantity,
        Resource,
        Rule,
        Scale,
        Spec,
        Status,
        field,
        resource,
        rules,
    )
    from kubewright.runtime import (
        Backoff,
        Context,
        Controller,
        Desired,
        Grant,
        Keep,
        LeaderElection,
        Operator,
        Reads,
        Result,
        Seen,
        child,
    )

__all__ = [
    "Atomic",
    "Backoff",
    "Column",
    "Condition",
    "Context",
    "Controller",
    "Desired",
    "Grant",
    "IntOrString",
    "Keep",
    "KubewrightError",
    "LabelSelector",
    "LeaderElection",
    "ListMap",
    "ListSet",
    "Meta",
    "Model",
    "ObjectMeta",
    "Operator",
    "Permanent",
    "Quantity",
    "Reads",
    "Resource",
    "Result",
    "Retry",
    "Rule",
    "Scale",
    "Seen",
    "Spec",
    "Status",
    "Waiting",
    "child",
    "field",
    "resource",
    "rules",
]

_ERRORS = frozenset({"KubewrightError", "Permanent", "Retry", "Waiting"})
_RUNTIME = frozenset(
    {
        "Backoff",
        "Context",
        "Controller",
        "Desired",
        "Grant",
        "Keep",
        "LeaderElection",
        "Operator",
        "Reads",
        "Result",
        "Seen",
        "child",
    }
)


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    room = "errors" if name in _ERRORS else "runtime" if name in _RUNTIME else "objects"
    value: object = getattr(import_module(f"kubewright.{room}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
