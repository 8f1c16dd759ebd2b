"""Controllers and what runs them: source, handler, queue, reconciler, operator."""

from kubewright.runtime.configuration import ANNOTATION
from kubewright.runtime.context import Context
from kubewright.runtime.controller import Controller, Grant, Owns, Reads, Result
from kubewright.runtime.desired import Child, Desired, Keep, child
from kubewright.runtime.election import Election, LeaderElection, LeaseElection
from kubewright.runtime.finalizers import finalizer_name
from kubewright.runtime.operator import Operator, Running
from kubewright.runtime.origin import Write
from kubewright.runtime.queue import Backoff, Item, Queue
from kubewright.runtime.readiness import is_ready
from kubewright.runtime.reason import Reason
from kubewright.runtime.record import Observer, Outcome, ReconcileRecord
from kubewright.runtime.seen import ALL_NAMESPACES, Seen

__all__ = [
    "ALL_NAMESPACES",
    "ANNOTATION",
    "Backoff",
    "Child",
    "Context",
    "Controller",
    "Desired",
    "Election",
    "Grant",
    "Item",
    "Keep",
    "LeaderElection",
    "LeaseElection",
    "Observer",
    "Operator",
    "Outcome",
    "Owns",
    "Queue",
    "Reads",
    "Reason",
    "ReconcileRecord",
    "Result",
    "Running",
    "Seen",
    "Write",
    "child",
    "finalizer_name",
    "is_ready",
]
