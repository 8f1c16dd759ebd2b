"""Who is writing: the reconcile in whose course a request is sent."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, field

from kubewright.objects import ObjectKey
from kubewright.runtime.dependencies import Dependency


@dataclass(frozen=True, slots=True)
class Write:
    """One request that changed, or was to change, an object.

    Attributes:
        verb: ``create``, ``update``, ``patch``, ``apply``, ``delete``.
        resource: as RBAC says it: ``deployments.apps``.
        key: of the object.
        subresource: for instance ``status``, or empty.
        status: the HTTP status of the answer; 0 where none came.
        changed: whether the object's resourceVersion moved; True where that is not known.
    """

    verb: str
    resource: str
    key: ObjectKey
    subresource: str = ""
    status: int = 0
    changed: bool = True

    def __str__(self) -> str:
        what = f"{self.resource}/{self.subresource}" if self.subresource else self.resource
        return f"{self.verb} {what} {self.key}"


@dataclass(eq=False, slots=True)
class Origin:
    """One reconcile, as its writes are marked with it.

    Attributes:
        controller: the name of the controller.
        key: what is being reconciled.
        outdated: what it has read and its own writes then changed, unless it has read it again.
        writes: in order.
    """

    controller: str
    key: ObjectKey
    outdated: set[Dependency] = field(default_factory=set)
    writes: list[Write] = field(default_factory=list)


current: ContextVar[Origin | None] = ContextVar("kubewright.runtime.origin", default=None)
