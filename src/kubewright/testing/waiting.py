"""Waiting for the world to be in a state: woken by changes, never by the clock; and saying what was last seen."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Self

import msgspec

from kubewright.client import Client, Watch
from kubewright.errors import Gone, KubewrightError, TransportError
from kubewright.objects import ApiResource, RawObject
from kubewright.runtime import ReconcileRecord

_SHOWN_RECORDS = 5
_SHOWN_EVENTS = 8


class NotReached(KubewrightError, AssertionError):
    """What a test waited for did not come; the message says what was there instead."""


class Pulse:
    """Ticks whenever something may have changed."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def tick(self) -> None:
        """Something may have changed."""
        self._event.set()

    async def wait(self) -> None:
        """Until the next tick, or the one that came since."""
        await self._event.wait()
        self._event.clear()


class ObjectWatch:
    """Ticks ``pulse`` with every change of one object, for the length of the block."""

    def __init__(self, client: Client, resource: ApiResource, namespace: str, name: str, pulse: Pulse) -> None:
        self._client = client
        self._resource = resource
        self._namespace = namespace
        self._selector = f"metadata.name={name}"
        self._pulse = pulse
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name=f"wait for {self._resource.kind} {self._selector}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._task is not None  # noqa: S101 - entered
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        where = self._namespace or None
        while True:
            listed = await self._client.list(self._resource, namespace=where, field_selector=self._selector)
            self._pulse.tick()
            watch: Watch[RawObject] = self._client.watch(
                self._resource,
                namespace=where,
                field_selector=self._selector,
                resource_version=listed.resource_version,
            )
            try:
                async with watch:
                    async for _ in watch:
                        self._pulse.tick()
            except (Gone, TransportError):
                continue


async def until(reached: Callable[[], Awaitable[bool]], pulse: Pulse, timeout: float) -> bool:  # noqa: ASYNC109
    """Ask after each tick whether it is reached; whether it was within ``timeout`` seconds."""
    try:
        async with asyncio.timeout(timeout):
            while not await reached():
                await pulse.wait()
    except TimeoutError:
        return False
    return True


async def told(
    client: Client, resource: ApiResource, live: RawObject | None, records: Sequence[ReconcileRecord]
) -> str:
    """What there is to know of an object: its status, its events, its last reconciles."""
    lines = []
    if live is None:
        lines.append("it is not there")
    else:
        tree = live.to_dict()
        if live.metadata.deletion_timestamp is not None:
            finalizers = ", ".join(live.metadata.finalizers) or "none"
            lines.append(f"it is being deleted; finalizers: {finalizers}")
        status = msgspec.json.encode(tree.get("status")).decode() if tree.get("status") else "none"
        lines.append(f"status: {status}")
        lines += await _events(client, live)
    for record in records[-_SHOWN_RECORDS:]:
        why = f": {record.message}" if record.message else ""
        ready = "" if record.ready is None else f", ready: {str(record.ready).lower()}"
        reasons = ", ".join(map(str, record.reasons))
        lines.append(f"{record.controller} {record.outcome}{why}{ready} (because: {reasons})")
    if not records and live is not None:
        lines.append(f"no {resource.kind} controller of the operator under test has reconciled it")
    return "\n  ".join(lines)


async def _events(client: Client, live: RawObject) -> list[str]:
    from kubewright.kinds import core_v1 as core

    selector = f"involvedObject.uid={live.metadata.uid}"
    try:
        found = await client.list(core.Event, namespace=live.metadata.namespace or None, field_selector=selector)
    except KubewrightError as error:
        return [f"its events cannot be read: {error}"]
    return [f"event {event.type} {event.reason}: {event.message}" for event in found.items[-_SHOWN_EVENTS:]]
