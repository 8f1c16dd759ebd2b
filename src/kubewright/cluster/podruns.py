"""The simulated kubelet's memory of a Pod: what each of its containers does, and does next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple, TypeAlias

from kubewright import clock
from kubewright.cluster.simulation import Fault, SimulatedPods
from kubewright.cluster.writing import now
from kubewright.kinds import core_v1 as core

State: TypeAlias = Literal["waiting", "running", "terminated"]

_LONGEST_BACKOFF = 300.0
_FORGIVEN_AFTER = 600.0
_SHORTEST_WAIT = 0.01
"""Without it, a container that crashes at once and restarts at once would keep the cluster from everything else."""


class Told(NamedTuple):
    """An Event to record of a container."""

    container: str
    kind: Literal["Normal", "Warning"]
    reason: str
    message: str


@dataclass(slots=True)
class Ended:
    """How a container's process ended."""

    exit_code: int
    reason: str
    message: str
    started: datetime
    finished: datetime


@dataclass(slots=True)
class ContainerRun:
    """One container, as its status has it, and when it changes."""

    name: str
    image: str
    state: State = "waiting"
    reason: str = "ContainerCreating"
    message: str = ""
    ready: bool = False
    restarts: int = 0
    started: datetime | None = None
    since: float = 0.0
    until: float = 0.0
    ended: Ended | None = None
    before: Ended | None = None
    pulls: int = 0
    quick_ends: int = 0
    unready_told: bool = False


@dataclass(slots=True)
class PodRun:
    """A Pod on the simulated node."""

    pod: core.Pod
    inits: list[ContainerRun] = field(default_factory=list)
    containers: list[ContainerRun] = field(default_factory=list)

    @classmethod
    def of(cls, pod: core.Pod) -> PodRun:
        """From what the Pod's status says: a kubelet that starts takes over what is there."""
        assert pod.spec is not None  # noqa: S101 - Pods have one
        status = pod.status or core.PodStatus()
        run = cls(pod)
        run.inits = [_taken_over(c, status.init_container_statuses) for c in pod.spec.init_containers or ()]
        run.containers = [_taken_over(c, status.container_statuses) for c in pod.spec.containers]
        return run

    @property
    def initialized(self) -> bool:
        """Whether the init containers are done (those that go on running: run)."""
        return all(
            run.state == "running" if self._goes_on(run) else run.ended is not None and run.ended.exit_code == 0
            for run in self.inits
        )

    @property
    def phase(self) -> str:
        """As the kubelet computes it."""
        assert self.pod.spec is not None  # noqa: S101 - Pods have one
        policy = self.pod.spec.restart_policy or "Always"
        if not self.initialized:
            failed = any(run.ended is not None and run.ended.exit_code for run in self.inits)
            return "Failed" if policy == "Never" and failed else "Pending"
        if any(run.state == "waiting" and run.before is None for run in self.containers):
            return "Pending"
        if policy == "Always" or any(run.state == "running" for run in self.containers):
            return "Running"
        codes = [run.ended.exit_code if run.ended else 1 for run in self.containers]
        if not any(codes):
            return "Succeeded"
        return "Failed" if policy == "Never" else "Running"

    @property
    def ready(self) -> bool:
        """Whether all containers are."""
        return self.initialized and all(run.ready for run in self.containers)

    def advance(self, pods: SimulatedPods, told: list[Told]) -> float | None:
        """Take each container one step on; the seconds until the next step, 0 for at once, None for never."""
        waits = [self._step(run, pods, told) for run in self._at_work()]
        return min((wait for wait in waits if wait is not None), default=None)

    def try_again(self) -> None:
        """End every wait for another try."""
        for run in (*self.inits, *self.containers):
            run.until = 0.0

    def _at_work(self) -> Iterator[ContainerRun]:
        for run in self.inits:
            yield run
            if not (run.state == "running" or (run.ended is not None and run.ended.exit_code == 0)):
                return
        yield from self.containers

    def _goes_on(self, run: ContainerRun) -> bool:
        """Whether it is an init container that runs beside the others (a sidecar)."""
        declared = (self.pod.spec.init_containers if self.pod.spec else None) or ()
        return any(c.name == run.name and c.restart_policy == "Always" for c in declared)

    def _restarts(self, run: ContainerRun, code: int) -> bool:
        policy = (self.pod.spec.restart_policy if self.pod.spec else None) or "Always"
        if run in self.inits:
            return self._goes_on(run) or (code != 0 and policy != "Never")
        return policy == "Always" or (policy == "OnFailure" and code != 0)

    def _step(self, run: ContainerRun, pods: SimulatedPods, told: list[Told]) -> float | None:
        if run.state == "waiting":
            return self._start(run, pods, told)
        if run.state == "running":
            return self._go_on(run, pods, told)
        if run.ended is None or not self._restarts(run, run.ended.exit_code):
            return None
        return self._back_off(run, pods, told)

    def _start(self, run: ContainerRun, pods: SimulatedPods, told: list[Told]) -> float | None:
        moment = clock.monotonic()
        fault = pods.pull_fault(self.pod, run.image)
        if run.reason == "ErrImagePull" and run.until > moment:
            told.append(Told(run.name, "Normal", "BackOff", f'Back-off pulling image "{run.image}"'))
            told.append(Told(run.name, "Warning", "Failed", "Error: ImagePullBackOff"))
            run.message = f'Back-off pulling image "{run.image}": ErrImagePull: {run.message}'
            run.reason = "ImagePullBackOff"
        if run.until > moment:
            return run.until - moment
        if fault is not None:
            fault.happens()
            error = fault.message or _no_such_image(run.image)
            told.append(Told(run.name, "Normal", "Pulling", f'Pulling image "{run.image}"'))
            told.append(Told(run.name, "Warning", "Failed", f'Failed to pull image "{run.image}": {error}'))
            told.append(Told(run.name, "Warning", "Failed", "Error: ErrImagePull"))
            run.reason, run.message = "ErrImagePull", error
            run.until = moment + _backoff(pods.stages_of(self.pod).backoff, run.pulls)
            run.pulls += 1
            return 0.0
        if run.before is not None:
            run.restarts += 1
        run.state, run.reason, run.message, run.pulls = "running", "", "", 0
        run.started, run.since = now(), moment
        run.until = moment + _jittered(pods, self.pod, "ready")
        told.append(Told(run.name, "Normal", "Started", f"Started container {run.name} (simulated: nothing runs)"))
        return 0.0

    def _go_on(self, run: ContainerRun, pods: SimulatedPods, told: list[Told]) -> float | None:
        moment = clock.monotonic()
        waits: list[float] = []
        for fault in pods.faults("crash", self.pod, run.name):
            if (wait := run.since + fault.after - moment) > 0:
                waits.append(wait)
                continue
            fault.happens()
            self._end(run, fault.exit_code, fault.reason, fault.message)
            return 0.0
        if run in self.inits and not self._goes_on(run):
            self._end(run, 0, "Completed", "")
            return 0.0
        unready = self._readiness(run, pods, moment, waits)
        if not run.ready and unready is None and moment >= run.until:
            run.ready, run.unready_told = True, False
            if self._completes(run):
                run.until = moment + _jittered(pods, self.pod, "completed")
            return 0.0
        if unready is not None:
            changed = run.ready
            run.ready = False
            if not run.unready_told:
                message = f"Readiness probe failed: {unready.message}"
                told.append(Told(run.name, "Warning", "Unhealthy", message))
                run.unready_told = changed = True
            if changed:
                return 0.0
        elif run.ready and self._completes(run) and moment >= run.until:
            self._end(run, 0, "Completed", "")
            return 0.0
        if run.until > moment:
            waits.append(run.until - moment)
        return min(waits, default=None)

    def _completes(self, run: ContainerRun) -> bool:
        policy = (self.pod.spec.restart_policy if self.pod.spec else None) or "Always"
        return run in self.containers and policy != "Always"

    def _readiness(self, run: ContainerRun, pods: SimulatedPods, moment: float, waits: list[float]) -> Fault | None:
        if moment < run.until and not run.ready:
            return None
        found = None
        for fault in pods.faults("readiness", self.pod, run.name):
            there, wait = fault.phase(moment)
            if wait is not None:
                waits.append(wait)
            found = found or (fault if there else None)
        return found

    def _end(self, run: ContainerRun, code: int, reason: str, message: str) -> None:
        started = run.started or now()
        run.ended = Ended(code, reason, message, started, now())
        run.quick_ends = 0 if clock.monotonic() - run.since >= _FORGIVEN_AFTER else run.quick_ends
        run.state, run.ready, run.until = "terminated", False, 0.0

    def _back_off(self, run: ContainerRun, pods: SimulatedPods, told: list[Told]) -> float:
        """Restart at once the first time, as kubelets do; later after a while."""
        run.before, run.ended = run.ended, None
        run.state, run.reason, run.message = "waiting", "CrashLoopBackOff", ""
        run.quick_ends += 1
        if run.quick_ends == 1:
            return 0.0
        seconds = _backoff(pods.stages_of(self.pod).backoff, run.quick_ends - 2)
        run.until = clock.monotonic() + seconds
        meta = self.pod.metadata
        pod = f"{meta.name}_{meta.namespace}({meta.uid})"
        run.message = f"back-off {go_duration(seconds)} restarting failed container={run.name} pod={pod}"
        told.append(
            Told(run.name, "Warning", "BackOff", f"Back-off restarting failed container {run.name} in pod {pod}")
        )
        return 0.0


def _taken_over(container: core.Container, statuses: list[core.ContainerStatus] | None) -> ContainerRun:
    run = ContainerRun(container.name, container.image or "")
    status = next((s for s in statuses or () if s.name == container.name), None)
    if status is None:
        return run
    run.restarts, run.ready = status.restart_count, status.ready
    state = status.state or core.ContainerState()
    if status.last_state and status.last_state.terminated:
        run.before = _ended(status.last_state.terminated)
    if state.running:
        run.state, run.started, run.since = "running", state.running.started_at, clock.monotonic()
    elif state.terminated:
        run.state, run.ended = "terminated", _ended(state.terminated)
    elif state.waiting:
        run.reason, run.message = state.waiting.reason or "", state.waiting.message or ""
    return run


def _ended(state: core.ContainerStateTerminated) -> Ended:
    moment = now()
    return Ended(
        state.exit_code,
        state.reason or "",
        state.message or "",
        state.started_at or moment,
        state.finished_at or moment,
    )


def _jittered(pods: SimulatedPods, pod: core.Pod, stage: Literal["ready", "completed"]) -> float:
    stages = pods.stages_of(pod)
    return clock.jitter(stages.ready if stage == "ready" else stages.completed, stages.jitter)


def _backoff(first: float, doublings: int) -> float:
    return max(min(first * 2.0**doublings, _LONGEST_BACKOFF), _SHORTEST_WAIT)


def go_duration(seconds: float) -> str:
    """As Go prints it: ``10s``, ``2m40s``."""
    if seconds < 1:
        return f"{seconds * 1000:g}ms"
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes)}m{rest:g}s" if minutes else f"{rest:g}s"


def _no_such_image(image: str) -> str:
    last = image.rpartition("/")[2]
    full = image if ":" in last or "@" in last else f"{image}:latest"
    first = full.partition("/")[0]
    if "/" not in full:
        full = f"docker.io/library/{full}"
    elif "." not in first and ":" not in first and first != "localhost":
        full = f"docker.io/{full}"
    return (
        f'rpc error: code = NotFound desc = failed to pull and unpack image "{full}": '
        f'failed to resolve reference "{full}": {full}: not found'
    )
