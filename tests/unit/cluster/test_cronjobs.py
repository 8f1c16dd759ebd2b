"""CronJobs start a Job at each time of their schedule."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from kubewright import clock
from kubewright.cluster import Cluster, PodStages
from kubewright.cluster.cron import Schedule
from kubewright.kinds import batch_v1 as batch
from kubewright.kinds import core_v1 as core
from kubewright.objects import JsonObject
from kubewright.testing import run_in_virtual_time

BERLIN = ZoneInfo("Europe/Berlin")


def cron_job(schedule: str, **spec: Any) -> JsonObject:
    pod = {"restartPolicy": "Never", "containers": [{"name": "tick", "image": "tick"}]}
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": "tick", "namespace": "default"},
        "spec": {"schedule": schedule, "jobTemplate": {"spec": {"template": {"spec": pod}}}, **spec},
    }


@pytest.mark.parametrize(
    ("schedule", "after", "then"),
    [
        ("* * * * *", "2026-01-01T00:00:30", "2026-01-01T00:01:00"),
        ("*/15 * * * *", "2026-01-01T00:15:00", "2026-01-01T00:30:00"),
        ("0 9-17/4 * * mon-fri", "2026-01-02T17:00:00", "2026-01-05T09:00:00"),
        ("30 6 1,15 * *", "2026-01-01T07:00:00", "2026-01-15T06:30:00"),
        ("0 0 13 * 5", "2026-01-01T00:00:00", "2026-01-02T00:00:00"),
        ("0 0 29 2 *", "2026-03-01T00:00:00", "2028-02-29T00:00:00"),
        ("@hourly", "2026-01-01T00:00:00", "2026-01-01T01:00:00"),
        ("@weekly", "2026-01-01T00:00:00", "2026-01-04T00:00:00"),
        ("@every 1h30m", "2026-01-01T00:00:00", "2026-01-01T01:30:00"),
        ("0 0 31 2 *", "2026-01-01T00:00:00", None),
    ],
)
def test_times(schedule: str, after: str, then: str | None) -> None:
    found = Schedule.parse(schedule).next(datetime.fromisoformat(after).replace(tzinfo=UTC), UTC)
    assert (found.replace(tzinfo=None).isoformat() if found else None) == then


def test_an_hour_left_out_has_no_times_and_one_doubled_has_them_twice() -> None:
    schedule = Schedule.parse("30 2 * * *")
    spring = schedule.next(datetime(2026, 3, 28, 12, tzinfo=UTC), BERLIN)
    assert spring == datetime(2026, 3, 30, 0, 30, tzinfo=UTC)
    first = schedule.next(datetime(2026, 10, 24, 12, tzinfo=UTC), BERLIN)
    assert first == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert schedule.next(first, BERLIN) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize("schedule", ["* * * *", "60 * * * *", "a * * * *", "*/0 * * * *", "5-1 * * * *", ""])
def test_what_is_no_schedule(schedule: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - int's own words too
        Schedule.parse(schedule)


async def _after(
    seconds: float, made: JsonObject, stages: PodStages | None = None
) -> tuple[batch.CronJob, list[batch.Job], list[str | None]]:
    async with Cluster(stages=stages) as cluster:
        client = cluster.client()
        await client.create(made)
        await clock.sleep(seconds)
        await cluster.wait_idle()
        live = await client.get(batch.CronJob, "tick")
        jobs = (await client.list(batch.Job, namespace="default")).items
        events = (await client.list(core.Event, field_selector="involvedObject.kind=CronJob")).items
        return live, jobs, [event.reason for event in events]


def test_jobs_are_started_on_time_and_the_last_three_kept() -> None:
    live, jobs, reasons = run_in_virtual_time(_after(3700, cron_job("*/10 * * * *", timeZone="Europe/Berlin")))
    minutes = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) // 60
    assert [job.metadata.name for job in jobs] == [f"tick-{minutes + later}" for later in (40, 50, 60)]
    annotations = [(job.metadata.annotations or {}) for job in jobs]
    assert annotations[2]["batch.kubernetes.io/cronjob-scheduled-timestamp"] == "2026-01-01T02:00:00+01:00"
    assert live.status is not None
    assert live.status.active is None
    assert live.status.last_schedule_time == datetime(2026, 1, 1, 1, tzinfo=UTC)
    assert live.status.last_successful_time == datetime(2026, 1, 1, 1, tzinfo=UTC)
    assert reasons.count("SuccessfulCreate") == reasons.count("SawCompletedJob") == 6
    assert reasons.count("SuccessfulDelete") == 3


@pytest.mark.parametrize(("policy", "active", "started"), [("Allow", 3, 3), ("Forbid", 1, 1), ("Replace", 1, 3)])
def test_what_becomes_of_a_job_that_is_still_running(policy: str, active: int, started: int) -> None:
    made = cron_job("* * * * *", concurrencyPolicy=policy)
    live, jobs, reasons = run_in_virtual_time(_after(200, made, PodStages(completed=3600)))
    assert live.status is not None
    assert len(live.status.active or ()) == active
    assert len(jobs) == active
    assert reasons.count("SuccessfulCreate") == started
    assert ("JobAlreadyActive" in reasons) == (policy == "Forbid")


def test_a_suspended_one_starts_none() -> None:
    _, jobs, reasons = run_in_virtual_time(_after(200, cron_job("* * * * *", suspend=True)))
    assert (jobs, reasons) == ([], [])


def test_of_missed_times_the_latest_is_served() -> None:
    async def main() -> list[str | None]:
        async with Cluster() as cluster:
            client = cluster.client()
            await client.create(cron_job("* * * * *", suspend=True))
            await clock.sleep(330)
            await client.patch(batch.CronJob, "tick", {"spec": {"suspend": False}}, "merge")
            await cluster.wait_idle()
            return [job.metadata.name for job in (await client.list(batch.Job, namespace="default")).items]

    minutes = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) // 60
    assert run_in_virtual_time(main()) == [f"tick-{minutes + 5}"]
