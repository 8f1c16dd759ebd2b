"""What ``desired`` returns: children, status, readiness."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from kubewright.objects import Condition, Object

StatusT = TypeVar("StatusT")


@dataclass(frozen=True, slots=True)
class Child:
    """A child with more to say than its fields; made by :func:`child`."""

    object: Object
    after: tuple[Object, ...] = ()
    adopt: bool = False


def child(obj: Object, *, after: Object | Sequence[Object] = (), adopt: bool = False) -> Child:
    """A child that waits for others, or that may be there already.

    Args:
        obj: the child.
        after: children of the same ``Desired`` that must be ready before this one is created or changed. Until
            then it is left as it is, and not pruned.
        adopt: an object of this name that nobody controls is taken over, rather than an error.
    """
    return Child(obj, (after,) if isinstance(after, Object) else tuple(after), adopt)


@dataclass(frozen=True, slots=True)
class Keep:
    """A child that is neither described nor pruned: it stays as it is, if it is there.

    ``namespace`` is by default that of the object being reconciled.
    """

    kind: type[Object]
    name: str
    namespace: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired(Generic[StatusT]):
    """The world as it should be, as far as one custom resource is concerned.

    Attributes:
        children: what should exist, complete; what we control in the kinds of ``owns`` and is not here is pruned.
        status: the whole status, or None to leave it.
        ready: what the ``Ready`` condition says, where the status has conditions.
        message: of the ``Ready`` condition.
        conditions: further conditions; their transition times are kept while their status does not change.
        requeue_after: seconds until it should be computed again though nothing changed, or None.
    """

    children: Sequence[Object | Child | Keep] = ()
    status: StatusT | None = None
    ready: bool = True
    message: str = ""
    conditions: Sequence[Condition] = ()
    requeue_after: float | None = None
