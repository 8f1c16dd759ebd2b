"""Runs the operator under the driver of the comparison; see ``run``."""

from __future__ import annotations

import asyncio
import os
import signal

from operator_under_test import AppServiceController

from kubewright import Operator
from kubewright.cache import Cache, Scope
from kubewright.client import Client, connect, load_config
from kubewright.kinds import core_v1 as core
from kubewright.runtime import ReconcileRecord

EXPECT = int(os.environ.get("BENCH_EXPECT") or 0)


def say(line: str) -> None:
    print(f"BENCH {line}", flush=True)


async def operate(client: Client, stop: asyncio.Event) -> None:
    seen: set[object] = set()

    def count(record: ReconcileRecord) -> None:
        if len(seen) < EXPECT:
            seen.add(record.key)
            if len(seen) == EXPECT:
                say("RECONCILED")

    operator = Operator("bench", controllers=[AppServiceController()])
    async with operator.running(client, observers=[count]) as running:
        await running.wait_ready()
        say("READY")
        await stop.wait()


async def hold(client: Client, stop: asyncio.Event) -> None:
    say("READY")
    cache = Cache(client)
    scope = Scope(core.ConfigMap.api_resource, namespace=os.environ["BENCH_NAMESPACE"])
    informer = cache.informer(scope)
    left = EXPECT

    def count(_: object) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            say("SYNCED")

    informer.add_handler(count)
    await stop.wait()
    await cache.stop()


async def main() -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    client = connect(load_config())
    try:
        await (hold if os.environ.get("BENCH_MODE") == "cache" else operate)(client, stop)
    finally:
        await client.close()


asyncio.run(main())
