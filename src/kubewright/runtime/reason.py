"""Why a reconcile happens."""

from __future__ import annotations

from typing import NamedTuple

from kubewright.objects import ObjectKey


class Reason(NamedTuple):
    """One cause, kept through the queue's deduplication.

    Attributes:
        event: what happened: ``added``, ``modified``, ``deleted``, ``exists`` (it was there at the start),
            ``retry``, ``requeue``, ``outdated`` (by the last reconcile's own writes).
        kind: of the object it happened to, or empty.
        key: of that object, or None.
    """

    event: str
    kind: str = ""
    key: ObjectKey | None = None

    def __str__(self) -> str:
        return f"{self.kind} {self.key} {self.event}" if self.kind else self.event
