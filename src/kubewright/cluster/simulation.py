"""What a test makes of the simulated Pods: how long they take, and what goes wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from types import TracebackType
from typing import Literal, Self, TypeAlias

from kubewright import clock
from kubewright.kinds import core_v1 as core
from kubewright.objects import parse_label_selector

Which: TypeAlias = str | Mapping[str, str] | core.Pod
"""Pods: by a label selector as kubectl's ``-l`` takes it (``""`` for all), by labels, or one Pod."""

Trouble: TypeAlias = Literal["scheduling", "pull", "crash", "readiness", "eviction", "node"]


@dataclass(slots=True)
class PodStages:
    """Seconds a Pod waits before each stage; change them while the cluster runs.

    Attributes:
        scheduled: before a node is chosen.
        started: from then, before its containers run.
        ready: from then, before each is ready.
        completed: from then, before a Pod that does not restart ends well.
        terminated: between a deletion and the end; at most the Pod's grace period.
        backoff: before a container that ended again is restarted, and an image is pulled again; doubled each time,
            up to 300 seconds.
        jitter: each wait for a stage is made longer by up to this fraction of itself.
    """

    scheduled: float = 0.0
    started: float = 0.0
    ready: float = 0.0
    completed: float = 0.0
    terminated: float = 0.0
    backoff: float = 10.0
    jitter: float = 0.0


@dataclass(slots=True, eq=False)
class Fault:
    """Something that goes wrong with Pods until :meth:`end`, or to the end of a ``with`` block."""

    trouble: Trouble
    concerns: Callable[[core.Pod], bool]
    container: str = ""
    image: str = ""
    message: str = ""
    reason: str = ""
    exit_code: int = 0
    after: float = 0.0
    every: float = 0.0
    left: int | None = None
    since: float = field(default_factory=clock.monotonic)
    changed: Callable[[], None] = field(default=lambda: None, repr=False)
    ended: bool = False

    def end(self) -> None:
        """All is well again: Pods that wait for another try have it at once."""
        self.ended = True
        self.changed()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def happens(self) -> None:
        """Count one time that it happened."""
        if self.left is not None:
            self.left -= 1
            self.ended = self.left <= 0

    def phase(self, now: float) -> tuple[bool, float | None]:
        """Of one that comes and goes: whether it is there, and the seconds until that changes."""
        if not self.every:
            return True, None
        periods, into = divmod(now - self.since, self.every)
        return periods % 2 == 0, self.every - into


class SimulatedPods:
    """The simulated Pods of a cluster, to be slowed down and made to fail.

    ::

        with cluster.pods.fail_pull("nginx:broken"):
            ...
        cluster.pods.crash("app=web", exit_code=3, times=2)

    Where ``pods`` is asked for, give a label selector (``"app=web"``; all Pods by default), labels, or a Pod.
    ``times`` counts over all of them; without it, what goes wrong does so until :meth:`Fault.end`.

    Attributes:
        stages: how long Pods take.
    """

    def __init__(self, stages: PodStages) -> None:
        self.stages = stages
        self.changed: Callable[[], None] = lambda: None
        self._special: list[tuple[Callable[[core.Pod], bool], PodStages]] = []
        self._faults: list[Fault] = []

    def set_stages(self, pods: Which, stages: PodStages) -> None:
        """Let these Pods take other times than the others."""
        self._special.append((_concerns(pods), stages))
        self.changed()

    def stages_of(self, pod: core.Pod) -> PodStages:
        """The times ``pod`` takes."""
        return next((stages for concerns, stages in reversed(self._special) if concerns(pod)), self.stages)

    def refuse_scheduling(
        self,
        pods: Which = "",
        *,
        message: str = "0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: "
        "1 No preemption victims found for incoming pod.",
        times: int | None = None,
    ) -> Fault:
        """Find no node for these Pods: they stay Pending, with the condition PodScheduled False, Unschedulable."""
        return self._add(Fault("scheduling", _concerns(pods), message=message, left=times))

    def fail_pull(self, image: str, *, error: str = "", times: int | None = None) -> Fault:
        """Fail to pull ``image`` (``*`` stands for anything): ErrImagePull, then ImagePullBackOff.

        Args:
            image: as Pods name it.
            error: the container runtime's; by default that of an image that does not exist.
            times: how many pulls fail.
        """
        return self._add(Fault("pull", _concerns(""), image=image, message=error, left=times))

    def crash(
        self,
        pods: Which = "",
        *,
        container: str = "",
        exit_code: int = 1,
        reason: str = "",
        message: str = "",
        after: float = 0.0,
        times: int | None = None,
    ) -> Fault:
        """End a container: it is restarted (CrashLoopBackOff between) or fails its Pod, as ``restartPolicy`` says.

        Args:
            pods: whose container.
            container: the first unless named.
            exit_code: of its process; 0 ends it well.
            reason: by default ``Error``, or ``Completed`` of one that ends well; ``OOMKilled`` goes with 137.
            message: its termination message.
            after: seconds it runs before.
            times: how many times it ends so.
        """
        reason = reason or ("Error" if exit_code else "Completed")
        return self._add(
            Fault(
                "crash",
                _concerns(pods),
                container=container,
                exit_code=exit_code,
                reason=reason,
                message=message,
                after=after,
                left=times,
            )
        )

    def fail_readiness(
        self,
        pods: Which = "",
        *,
        container: str = "",
        message: str = "HTTP probe failed with statuscode: 503",
        flapping: float = 0.0,
    ) -> Fault:
        """Let a container (the first unless named) run without being ready, as one whose readiness probe fails.

        Args:
            pods: whose container.
            container: its name.
            message: what the probe says.
            flapping: fail for so many seconds, succeed for as many, and so on.
        """
        return self._add(Fault("readiness", _concerns(pods), container=container, message=message, every=flapping))

    def evict(self, pods: Which = "", *, message: str = "The node was low on resource: memory. ") -> None:
        """Have the kubelet evict the Pods there are: they end Failed, for the reason Evicted."""
        self._add(Fault("eviction", _concerns(pods), message=message))

    def lose_node(self) -> Fault:
        """Silence the node: it is no longer Ready, nor are its Pods; they change no more, and none is scheduled."""
        return self._add(Fault("node", _concerns("")))

    @property
    def node_lost(self) -> bool:
        """Whether the node is silent."""
        return any(fault.trouble == "node" and not fault.ended for fault in self._faults)

    def faults(self, trouble: Trouble, pod: core.Pod, container: str = "") -> list[Fault]:
        """What goes wrong with ``pod`` and a container of it at the moment, the latest first."""
        first = pod.spec.containers[0].name if pod.spec else ""
        self._faults = [fault for fault in self._faults if not fault.ended]
        return [
            fault
            for fault in reversed(self._faults)
            if fault.trouble == trouble
            and fault.concerns(pod)
            and (not container or container == (fault.container or first))
        ]

    def pull_fault(self, pod: core.Pod, image: str) -> Fault | None:
        """What keeps ``image`` from being pulled."""
        return next((f for f in self.faults("pull", pod) if fnmatchcase(image, f.image)), None)

    def _add(self, fault: Fault) -> Fault:
        fault.changed = self.changed
        self._faults.append(fault)
        self.changed()
        return fault


def _concerns(pods: Which) -> Callable[[core.Pod], bool]:
    if isinstance(pods, core.Pod):
        key = (pods.metadata.namespace, pods.metadata.name)
        return lambda pod: (pod.metadata.namespace, pod.metadata.name) == key
    text = pods if isinstance(pods, str) else ",".join(f"{key}={value}" for key, value in pods.items())
    selector = parse_label_selector(text)
    return lambda pod: selector.matches(pod.metadata.labels or {})
