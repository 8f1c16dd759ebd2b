"""CronJobs: a Job at each time of their schedule."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import msgspec

from kubewright import clock
from kubewright.cluster.cron import Schedule
from kubewright.cluster.writing import MANAGER, controller_of, plain, record_event, write_status
from kubewright.errors import AlreadyExists, Conflict, NotFound
from kubewright.kinds import batch_v1 as batch
from kubewright.kinds import core_v1 as core
from kubewright.objects import ObjectMeta
from kubewright.runtime import Context, Controller, Result

_COMPONENT = "cronjob-controller"
_SCHEDULED_AT = "batch.kubernetes.io/cronjob-scheduled-timestamp"
_LATE = 0.1
"""Seconds after a due time before it is looked at, as kube-controller-manager's: timers may be early."""
_MANY = 100


class CronJobController(Controller[batch.CronJob]):
    """The equivalent of kube-controller-manager's."""

    owns = (batch.Job,)

    async def reconcile(self, obj: batch.CronJob, ctx: Context, /) -> Result:
        """Take note of what ended, clear away old Jobs, start the one that is due."""
        status = msgspec.convert(plain(obj.status), batch.CronJobStatus)
        jobs = ctx.seen.owned(batch.Job)
        await self._take_note(obj, status, jobs, ctx)
        again = await self._start_due(obj, status, ctx)
        status.active = status.active or None
        await write_status(ctx.client, obj, status)
        await self._clear_away(obj, jobs, ctx)
        return Result(requeue_after=again)

    async def _take_note(
        self, obj: batch.CronJob, status: batch.CronJobStatus, jobs: list[batch.Job], ctx: Context
    ) -> None:
        there = {job.metadata.uid: job for job in jobs}
        kept: list[core.ObjectReference] = []
        for reference in status.active or ():
            job = there.get(reference.uid)
            if job is None:
                message = f"Active job went missing: {reference.name}"
                await record_event(ctx.client, obj, "MissingJob", message, component=_COMPONENT)
            elif end := _end(job):
                message = f"Saw completed job: {reference.name}, condition: {end}"
                await record_event(ctx.client, obj, "SawCompletedJob", message, component=_COMPONENT)
            else:
                kept.append(reference)
        status.active = kept
        times = [
            job.status.completion_time
            for job in jobs
            if job.status and job.status.completion_time and _end(job) == "Complete"
        ]
        if status.last_successful_time is not None:
            times.append(status.last_successful_time)
        status.last_successful_time = max(times, default=None)

    async def _start_due(self, obj: batch.CronJob, status: batch.CronJobStatus, ctx: Context) -> float | None:
        spec, moment = obj.spec, clock.now()
        if spec.suspend:
            return None
        try:
            zone = ZoneInfo(spec.time_zone) if spec.time_zone else UTC
        except (KeyError, ValueError, OSError):
            message = f'invalid timeZone: "{spec.time_zone}": unknown time zone {spec.time_zone}'
            await self._warn(obj, "UnknownTimeZone", message, ctx)
            return None
        try:
            schedule = Schedule.parse(spec.schedule)
        except ValueError as error:
            message = f'unparseable schedule: "{spec.schedule}" : {error}'
            await self._warn(obj, "UnparseableSchedule", message, ctx)
            return None
        due, missed = _due(obj, status, schedule, zone, moment)
        following = schedule.next(moment, zone)
        again = None if following is None else (following - moment).total_seconds() + _LATE
        if due is None or due == status.last_schedule_time:
            return again
        if missed > _MANY:
            message = (
                "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew"
            )
            await self._warn(obj, "TooManyMissedTimes", message, ctx)
        deadline = spec.starting_deadline_seconds
        if deadline is not None and due + timedelta(seconds=deadline) < moment:
            message = f"Missed scheduled time to start a job: {due:%a, %d %b %Y %H:%M:%S +0000}"
            await self._warn(obj, "MissSchedule", message, ctx)
            return again
        if status.active and spec.concurrency_policy == "Forbid":
            message = "Not starting job because prior execution is running and concurrency policy is Forbid"
            await record_event(ctx.client, obj, "JobAlreadyActive", message, component=_COMPONENT)
            return again
        if status.active and spec.concurrency_policy == "Replace":
            running = {reference.uid for reference in status.active}
            for job in ctx.seen.owned(batch.Job):
                if job.metadata.uid in running:
                    await self._delete(obj, job, ctx)
            status.active = []
        if (reference := await self._start(obj, due, zone, ctx)) is not None:
            status.active = [*(status.active or ()), reference]
            status.last_schedule_time = due
        return again

    async def _start(
        self, obj: batch.CronJob, due: datetime, zone: tzinfo, ctx: Context
    ) -> core.ObjectReference | None:
        template = obj.spec.job_template
        given = template.metadata or ObjectMeta()
        stamp = due.astimezone(zone).isoformat().replace("+00:00", "Z")
        job = batch.Job(
            metadata=ObjectMeta(
                name=f"{obj.metadata.name}-{int(due.timestamp()) // 60}",
                namespace=obj.metadata.namespace,
                labels=given.labels,
                annotations={**(given.annotations or {}), _SCHEDULED_AT: stamp},
                owner_references=[controller_of(obj)],
            ),
            spec=template.spec,
        )
        try:
            made = await ctx.client.create(job, field_manager=MANAGER)
        except AlreadyExists:
            return None
        message = f"Created job {made.metadata.name}"
        await record_event(ctx.client, obj, "SuccessfulCreate", message, component=_COMPONENT)
        return core.ObjectReference(
            api_version="batch/v1",
            kind="Job",
            name=made.metadata.name,
            namespace=made.metadata.namespace,
            uid=made.metadata.uid,
            resource_version=made.metadata.resource_version,
        )

    async def _clear_away(self, obj: batch.CronJob, jobs: list[batch.Job], ctx: Context) -> None:
        spec = obj.spec
        for end, limit in (
            ("Complete", spec.successful_jobs_history_limit),
            ("Failed", spec.failed_jobs_history_limit),
        ):
            if limit is None:
                continue
            ended = sorted((job for job in jobs if _end(job) == end), key=_age)
            for job in ended[: max(len(ended) - limit, 0)]:
                await self._delete(obj, job, ctx)

    async def _delete(self, obj: batch.CronJob, job: batch.Job, ctx: Context) -> None:
        meta = job.metadata
        try:
            await ctx.client.delete(
                batch.Job, meta.name or "", meta.namespace, uid=meta.uid, propagation_policy="Background"
            )
        except (NotFound, Conflict):
            return
        await record_event(ctx.client, obj, "SuccessfulDelete", f"Deleted job {meta.name}", component=_COMPONENT)

    async def _warn(self, obj: batch.CronJob, reason: str, message: str, ctx: Context) -> None:
        await record_event(ctx.client, obj, reason, message, component=_COMPONENT, kind="Warning")


def _due(
    obj: batch.CronJob, status: batch.CronJobStatus, schedule: Schedule, zone: tzinfo, moment: datetime
) -> tuple[datetime | None, int]:
    """The latest time that has come and has not been served, and about how many there were."""
    earliest = status.last_schedule_time or obj.metadata.creation_timestamp or moment
    if obj.spec.starting_deadline_seconds is not None:
        earliest = max(earliest, moment - timedelta(seconds=obj.spec.starting_deadline_seconds))
    first = schedule.next(earliest, zone)
    if first is None or first > moment:
        return None, 0
    second = schedule.next(first, zone)
    if second is None or second > moment:
        return first, 1
    missed = int((moment - first) / (second - first)) + 1
    latest = following = first + (second - first) * max(missed - 2, 0)
    while (upcoming := schedule.next(following, zone)) is not None and upcoming <= moment:
        latest = following = upcoming
    return latest, missed


def _end(job: batch.Job) -> str:
    conditions = (job.status.conditions if job.status else None) or ()
    return next((c.type for c in conditions if c.type in ("Complete", "Failed") and c.status == "True"), "")


def _age(job: batch.Job) -> tuple[float, str]:
    started = job.status.start_time if job.status else None
    return started.timestamp() if started else 0.0, job.metadata.name or ""
