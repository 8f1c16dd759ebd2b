"""Jobs: Pods until enough of them have ended well, and what became of them."""

from __future__ import annotations

from datetime import datetime

from kubewright import clock
from kubewright.cluster.replicasets import is_ready
from kubewright.cluster.writing import (
    MANAGER,
    controlled_by,
    controller_of,
    delete_quietly,
    now,
    record_event,
    write_status,
)
from kubewright.errors import NotFound
from kubewright.kinds import batch_v1 as batch
from kubewright.kinds import core_v1 as core
from kubewright.objects import ObjectMeta
from kubewright.runtime import Context, Controller, Result

_COMPONENT = "job-controller"
_INDEX = "batch.kubernetes.io/job-completion-index"


class JobController(Controller[batch.Job]):
    """The equivalent of kube-controller-manager's, for Jobs whose Pods need no failure policies.

    Indexed Jobs number their Pods; Pods that fail count against ``backoffLimit``. Not there: pod failure and
    success policies, ``backoffLimitPerIndex``, the finalizers by which Pods are counted exactly once.
    """

    owns = (core.Pod,)

    async def reconcile(self, obj: batch.Job, ctx: Context, /) -> Result:
        """Make, count and clear away Pods."""
        if obj.spec is None or obj.spec.managed_by not in (None, "kubernetes.io/job-controller"):
            return Result()
        status = obj.status or batch.JobStatus()
        if _has(status, "Complete") or _has(status, "Failed"):
            return await self._expire(obj, status, ctx)
        pods = ctx.seen.owned(core.Pod)
        if obj.spec.suspend:
            for pod in pods:
                if _phase(pod) not in ("Succeeded", "Failed"):
                    await delete_quietly(ctx.client, pod)
            if not _has(status, "Suspended"):
                await record_event(ctx.client, obj, "Suspended", "Job suspended", component=_COMPONENT)
            await write_status(ctx.client, obj, _counted(obj, ctx.seen.owned(core.Pod), suspended=True))
            return Result()
        await self._make(obj, pods, ctx)
        counted = _counted(obj, ctx.seen.owned(core.Pod), suspended=False)
        ended = await self._end(obj, counted, ctx)
        await write_status(ctx.client, obj, counted)
        again = _until_deadline(obj, counted) if not ended else None
        return Result(requeue_after=again)

    async def _make(self, obj: batch.Job, pods: list[core.Pod], ctx: Context) -> None:
        assert obj.spec is not None  # noqa: S101 - checked by the caller
        succeeded = [pod for pod in pods if _phase(pod) == "Succeeded"]
        failed = [pod for pod in pods if _phase(pod) == "Failed"]
        active = [pod for pod in pods if pod not in succeeded and pod not in failed]
        if len(failed) > _limit(obj) or (_overdue(obj) and obj.status and obj.status.start_time):
            return
        parallelism = 1 if obj.spec.parallelism is None else obj.spec.parallelism
        completions = obj.spec.completions
        missing = parallelism if not succeeded else 0
        if completions is not None:
            missing = min(parallelism, completions - len(succeeded))
        indexes = _free_indexes(obj, succeeded, active)
        for position in range(missing - len(active)):
            index = indexes[position] if position < len(indexes) else None
            pod = await ctx.client.create(_pod_of(obj, index), field_manager=MANAGER)
            message = f"Created pod: {pod.metadata.name}"
            await record_event(ctx.client, obj, "SuccessfulCreate", message, component=_COMPONENT)

    async def _end(self, obj: batch.Job, counted: batch.JobStatus, ctx: Context) -> bool:
        """Put the conditions in ``counted`` if the Job is over."""
        assert obj.spec is not None  # noqa: S101 - checked by the caller
        done = counted.succeeded or 0
        completions = obj.spec.completions
        enough = done >= completions if completions is not None else done > 0 and not counted.active
        if enough:
            counted.completion_time = now()
            reached = "Reached expected number of succeeded pods"
            _add(counted, "SuccessCriteriaMet", "CompletionsReached", reached)
            _add(counted, "Complete", "CompletionsReached", reached)
            await record_event(ctx.client, obj, "Completed", "Job completed", component=_COMPONENT)
            return True
        reason = message = ""
        if (counted.failed or 0) > _limit(obj):
            reason, message = "BackoffLimitExceeded", "Job has reached the specified backoff limit"
        elif _overdue(obj):
            reason, message = "DeadlineExceeded", "Job was active longer than specified deadline"
        if not reason:
            return False
        for pod in ctx.seen.owned(core.Pod):
            if _phase(pod) not in ("Succeeded", "Failed"):
                await delete_quietly(ctx.client, pod)
        counted.active = counted.ready = None
        _add(counted, "FailureTarget", reason, message)
        _add(counted, "Failed", reason, message)
        await record_event(ctx.client, obj, reason, message, component=_COMPONENT, kind="Warning")
        return True

    async def _expire(self, obj: batch.Job, status: batch.JobStatus, ctx: Context) -> Result:
        """Delete a finished Job once its time to live is over."""
        limit = obj.spec.ttl_seconds_after_finished if obj.spec else None
        ended = max(
            (c.last_transition_time for c in status.conditions or () if c.last_transition_time is not None),
            default=None,
        )
        if limit is None or ended is None:
            return Result()
        left = limit - (clock.now() - ended).total_seconds()
        if left > 0:
            return Result(requeue_after=left)
        try:
            await ctx.client.delete(
                batch.Job,
                obj.metadata.name or "",
                obj.metadata.namespace,
                uid=obj.metadata.uid,
                propagation_policy="Foreground",
            )
        except NotFound:
            return Result()
        return Result()


def _phase(pod: core.Pod) -> str:
    return (pod.status.phase if pod.status else None) or "Pending"


def _has(status: batch.JobStatus, kind: str) -> bool:
    return any(c.type == kind and c.status == "True" for c in status.conditions or ())


def _add(status: batch.JobStatus, kind: str, reason: str, message: str) -> None:
    made = batch.JobCondition(
        type=kind,
        status="True",
        reason=reason,
        message=message,
        last_probe_time=now(),
        last_transition_time=now(),
    )
    status.conditions = [*(c for c in status.conditions or () if c.type != kind), made]


def _limit(obj: batch.Job) -> int:
    limit = obj.spec.backoff_limit if obj.spec else None
    return 6 if limit is None else limit


def _until_deadline(obj: batch.Job, status: batch.JobStatus) -> float | None:
    deadline = obj.spec.active_deadline_seconds if obj.spec else None
    started: datetime | None = status.start_time
    if deadline is None or started is None:
        return None
    return max(deadline - (clock.now() - started).total_seconds(), 0.0)


def _overdue(obj: batch.Job) -> bool:
    left = _until_deadline(obj, obj.status) if obj.status else None
    return left is not None and left <= 0


def _index(pod: core.Pod) -> int | None:
    text = (pod.metadata.annotations or {}).get(_INDEX)
    return int(text) if text is not None else None


def _free_indexes(obj: batch.Job, succeeded: list[core.Pod], active: list[core.Pod]) -> list[int]:
    if obj.spec is None or obj.spec.completion_mode != "Indexed":
        return []
    taken = {_index(pod) for pod in [*succeeded, *active]}
    return [index for index in range(obj.spec.completions or 0) if index not in taken]


def _pod_of(obj: batch.Job, index: int | None) -> core.Pod:
    assert obj.spec is not None  # noqa: S101 - checked by the callers
    template = obj.spec.template
    given = template.metadata or ObjectMeta()
    labels, annotations = dict(given.labels or {}), dict(given.annotations or {})
    prefix = f"{obj.metadata.name}-"
    if index is not None:
        labels[_INDEX] = annotations[_INDEX] = str(index)
        prefix = f"{obj.metadata.name}-{index}-"
    return core.Pod(
        metadata=ObjectMeta(
            generate_name=prefix,
            namespace=obj.metadata.namespace,
            labels=labels or None,
            annotations=annotations or None,
            owner_references=[controller_of(obj)],
        ),
        spec=template.spec,
    )


def _counted(obj: batch.Job, pods: list[core.Pod], *, suspended: bool) -> batch.JobStatus:
    before = obj.status or batch.JobStatus()
    ours = [pod for pod in pods if (owner := controlled_by(pod)) and owner.uid == obj.metadata.uid]
    phases = [_phase(pod) for pod in ours]
    running = [pod for pod in ours if _phase(pod) not in ("Succeeded", "Failed")]
    active = [pod for pod in running if pod.metadata.deletion_timestamp is None]
    indexed = obj.spec is not None and obj.spec.completion_mode == "Indexed"
    done = sorted(index for pod in ours if _phase(pod) == "Succeeded" and (index := _index(pod)) is not None)
    status = batch.JobStatus(
        start_time=None if suspended else before.start_time or now(),
        active=len(active) or None,
        ready=sum(map(is_ready, active)),
        succeeded=phases.count("Succeeded") or None,
        failed=phases.count("Failed") or None,
        terminating=len(running) - len(active),
        uncounted_terminated_pods=batch.UncountedTerminatedPods(),
        completed_indexes=",".join(_ranges(done)) if indexed and done else None,
        conditions=before.conditions,
    )
    if suspended and not _has(status, "Suspended"):
        _add(status, "Suspended", "JobSuspended", "Job suspended")
    return status


def _ranges(numbers: list[int]) -> list[str]:
    """``["0-2", "4"]`` for 0, 1, 2 and 4."""
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return [str(first) if first == last else f"{first}-{last}" for first, last in ranges]
