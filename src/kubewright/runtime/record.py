"""What is told of each reconcile to those who look on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from kubewright.objects import ObjectKey
from kubewright.runtime.origin import Write
from kubewright.runtime.reason import Reason

Outcome: TypeAlias = Literal["done", "waiting", "retry", "error", "permanent", "gone", "finalized"]


@dataclass(frozen=True, slots=True)
class ReconcileRecord:
    """One reconcile, ended.

    Attributes:
        controller: its name.
        kind: of the custom resource.
        key: of the custom resource.
        reconcile_id: as the log lines have it.
        reasons: why it happened.
        writes: the requests it sent to change anything, in order.
        outcome: ``done``; ``waiting`` for something to be there; ``retry`` as it asked for; ``error``;
            ``permanent``, not tried again until something changes; ``gone``: there was nothing to reconcile;
            ``finalized``: it was being deleted and nothing of ours is left to do.
        ready: what the Ready condition says, or None where nothing was said.
        message: of the error, or what is waited for.
        error: the exception, or None.
        seconds: it took.
        again: seconds until it is tried again, or None.
    """

    controller: str
    kind: str
    key: ObjectKey
    reconcile_id: str
    reasons: tuple[Reason, ...]
    writes: tuple[Write, ...]
    outcome: Outcome
    ready: bool | None
    message: str
    error: Exception | None
    seconds: float
    again: float | None


Observer: TypeAlias = Callable[[ReconcileRecord], None]
