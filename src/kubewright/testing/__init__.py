"""Testing operators without a cluster: the pytest plugin, the environment and its waiters."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kubewright.cluster import Cluster, Fault, PodStages, SimulatedPods
    from kubewright.testing.environment import Environment
    from kubewright.testing.rights import MissingRights
    from kubewright.testing.virtual import run_in_virtual_time
    from kubewright.testing.waiting import NotReached

__all__ = [
    "Cluster",
    "Environment",
    "Fault",
    "MissingRights",
    "NotReached",
    "PodStages",
    "SimulatedPods",
    "run_in_virtual_time",
]


def __getattr__(name: str) -> object:
    # pytest imports this package at its start, for the plugin: nothing may be loaded before a test needs it.
    if name in ("Cluster", "Fault", "PodStages", "SimulatedPods"):
        import kubewright.cluster

        return getattr(kubewright.cluster, name)
    if name == "Environment":
        from kubewright.testing.environment import Environment

        return Environment
    if name == "MissingRights":
        from kubewright.testing.rights import MissingRights

        return MissingRights
    if name == "run_in_virtual_time":
        from kubewright.testing.virtual import run_in_virtual_time

        return run_in_virtual_time
    if name == "NotReached":
        from kubewright.testing.waiting import NotReached

        return NotReached
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
