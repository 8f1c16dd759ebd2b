"""The queue: deduplication, one worker a key, priorities with ageing, backoff, reasons, drain."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from kubewright.objects import ObjectKey
from kubewright.runtime import Backoff, Queue, Reason

Run = Callable[[Coroutine[Any, Any, None]], None]
A, B, C = (ObjectKey("default", name) for name in "abc")
ADDED, MODIFIED = Reason("added"), Reason("modified")


async def take(queue: Queue) -> ObjectKey:
    item = await queue.get()
    assert item is not None
    return item.key


async def test_a_key_added_twice_is_taken_once_with_both_reasons() -> None:
    queue = Queue()
    queue.add(A, ADDED)
    queue.add(A, MODIFIED)
    queue.add(A, MODIFIED)
    item = await queue.get()
    assert item is not None
    assert (item.key, item.reasons) == (A, (ADDED, MODIFIED))
    assert len(queue) == 0


async def test_a_key_has_one_worker_at_a_time() -> None:
    queue = Queue()
    queue.add(A, ADDED)
    await take(queue)
    queue.add(A, MODIFIED)
    waiting = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    assert not waiting.done()
    queue.done(A)
    item = await waiting
    assert item is not None
    assert item.reasons == (MODIFIED,)


async def test_higher_priority_goes_first_and_equals_in_order() -> None:
    queue = Queue()
    for key, priority in ((A, -100), (B, 0), (C, 0)):
        queue.add(key, ADDED, priority=priority)
    assert [await take(queue) for _ in range(3)] == [B, C, A]


async def test_the_higher_of_two_priorities_holds() -> None:
    queue = Queue()
    queue.add(A, ADDED, priority=-100)
    queue.add(B, ADDED, priority=-50)
    queue.add(A, MODIFIED)
    assert [await take(queue) for _ in range(2)] == [A, B]


def test_what_waits_long_enough_is_no_longer_overtaken(virtually: Run) -> None:
    async def main() -> None:
        queue = Queue(ageing=0.1)
        queue.add(A, ADDED, priority=-100)
        overtaken = 0
        while True:
            queue.add(B, ADDED)
            key = await take(queue)
            queue.done(key)
            if key == A:
                break
            overtaken += 1
            await asyncio.sleep(1)
        assert 9 <= overtaken <= 11

    virtually(main())


def test_later_means_later_unless_sooner_comes_up(virtually: Run) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        queue = Queue()
        queue.add(A, ADDED, after=10)
        queue.add(A, ADDED, after=20)
        assert await take(queue) == A
        assert loop.time() == pytest.approx(10)
        queue.done(A)
        queue.add(A, ADDED, after=10)
        queue.add(A, MODIFIED)
        assert await take(queue) == A
        assert loop.time() == pytest.approx(10)

    virtually(main())


def test_failures_back_off_each_key_by_itself(virtually: Run) -> None:
    async def main() -> None:
        queue = Queue(backoff=Backoff(base=1, cap=60, jitter=0.2))
        delays = []
        for _ in range(9):
            queue.add(A, ADDED)
            await take(queue)
            delays.append(queue.retry(A, Reason("retry")))
            queue.done(A)
            await take(queue)
            queue.done(A)
        for delay, base in zip(delays, [1, 2, 4, 8, 16, 32, 60, 60, 60], strict=True):
            assert base <= delay <= base * 1.2
        assert len(set(delays[-3:])) == 3, "jittered"
        queue.add(B, ADDED)
        await take(queue)
        assert queue.retry(B, Reason("retry")) <= 1.2
        queue.forget(A)
        assert queue.retry(A, Reason("retry")) <= 1.2

    virtually(main())


async def test_the_defaults_are_those_of_controller_runtime() -> None:
    backoff = Backoff(jitter=0)
    assert [backoff.delay(n) for n in (1, 2, 3, 18, 19, 500)] == [0.005, 0.01, 0.02, 655.36, 1000.0, 1000.0]


async def test_shut_down_wakes_who_waits_and_takes_nothing_more() -> None:
    queue = Queue()
    waiting = [asyncio.create_task(queue.get()) for _ in range(3)]
    await asyncio.sleep(0)
    queue.shut_down()
    assert await asyncio.gather(*waiting) == [None, None, None]
    queue.add(A, ADDED)
    assert await queue.get() is None


async def test_a_cancelled_getter_loses_no_wake_up() -> None:
    queue = Queue()
    first, second = (asyncio.create_task(queue.get()) for _ in range(2))
    await asyncio.sleep(0)
    queue.add(A, ADDED)
    first.cancel()
    item = await asyncio.wait_for(second, 1)
    assert item is not None
    assert item.key == A


async def test_idle_counts_what_fails_but_not_what_comes_back_later() -> None:
    queue = Queue()
    queue.add(A, Reason("requeue"), after=60)
    assert queue.idle
    queue.add(B, ADDED)
    assert not queue.idle
    await take(queue)
    assert not queue.idle
    queue.retry(B, Reason("retry"))
    queue.done(B)
    assert not queue.idle
    assert queue.failing() == [B]
    queue.shut_down()
