"""The embedded API server beside a real kube-apiserver with etcd.

::

    python benchmarks/server/run.py [--kubeconfig FILE] [--count N]

FILE is a real cluster's; without it only the embedded server is measured. The client is the same for both over
HTTP, and runs in a process of its own; ratios are to the real one, in the same run.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import resource
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from kubewright.client import Client, connect, load_config
from kubewright.errors import NotFound
from kubewright.kinds import core_v1
from kubewright.objects import RawObject
from kubewright.server import InMemoryTransport, Server

_TEXT = "x" * 1024
_NAMESPACE = "benchmark"
ConfigMaps = core_v1.ConfigMap.api_resource


def _config_map(name: str) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": _NAMESPACE},
        "data": {"text": _TEXT},
    }


async def creates(client: Client, count: int, in_flight: int, prefix: str) -> float:
    """Creates a second."""
    numbers = iter(range(count))

    async def work() -> None:
        for number in numbers:
            await client.create(_config_map(f"{prefix}-{number}"))

    begin = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(in_flight)))
    return count / (time.perf_counter() - begin)


async def listing(client: Client) -> float:
    """Seconds for a list of all."""
    begin = time.perf_counter()
    await client.list(ConfigMaps, namespace=_NAMESPACE)
    return time.perf_counter() - begin


async def fan_out(client: Client, watchers: int = 50, events: int = 100) -> float:
    """Events delivered a second, to all watchers together."""
    since = (await client.list(ConfigMaps, namespace=_NAMESPACE)).resource_version

    async def follow() -> None:
        seen = 0
        async for _ in client.watch(ConfigMaps, namespace=_NAMESPACE, resource_version=since):
            seen += 1
            if seen == events:
                return

    begin = time.perf_counter()
    tasks = [asyncio.create_task(follow()) for _ in range(watchers)]
    await asyncio.sleep(0)
    for number in range(events):
        await client.create(_config_map(f"fan-{number}"))
    await asyncio.gather(*tasks)
    return watchers * events / (time.perf_counter() - begin)


async def measure(client: Client, count: int) -> dict[str, float]:
    """All figures of one server."""
    await client.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": _NAMESPACE}})
    await creates(client, 50, 8, "warm")
    figures = {
        "creates/s, 1 in flight": await creates(client, count // 5, 1, "one"),
        "creates/s, 32 in flight": await creates(client, count, 32, "many"),
    }
    there = len((await client.list(ConfigMaps, namespace=_NAMESPACE)).items)
    await creates(client, max(10_000 - there, 0), 32, "fill")
    figures["list of 10,000, s"] = min([await listing(client) for _ in range(3)])
    figures["fan-out to 50 watchers, events/s"] = await fan_out(client)
    return figures


async def remove(client: Client) -> None:
    """Leave nothing on the real server, which may have no controllers."""
    with contextlib.suppress(NotFound):
        await client.delete_collection(ConfigMaps, namespace=_NAMESPACE)
        await client.delete(core_v1.Namespace.api_resource, _NAMESPACE)
        found = await client.get(core_v1.Namespace.api_resource, _NAMESPACE)
        tree = json.loads(bytes(found.raw) if isinstance(found, RawObject) else b"{}")
        tree["spec"] = {"finalizers": []}
        await client.raw(_finalize(tree))


def _finalize(tree: dict[str, object]) -> object:
    from kubewright.wire import Request

    path = f"/api/v1/namespaces/{_NAMESPACE}/finalize"
    return Request("PUT", path, (), {"content-type": "application/json"}, json.dumps(tree).encode())


def _serve(pipe: object, folder: str) -> None:
    async def main() -> None:
        from kubewright.cluster import Cluster

        data = Path(folder) if folder else None
        async with Cluster(controllers=False, data=data) as cluster:
            listener = await cluster.listen()
            pipe.send(cluster.kubeconfig(listener))
            while not pipe.poll():  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.05)
            await listener.close()

    asyncio.run(main())


@contextlib.asynccontextmanager
async def served(folder: str = "") -> AsyncIterator[Client]:
    """A client of an embedded server in another process."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, folder))
    process.start()
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(await asyncio.to_thread(ours.recv))
        file.flush()
        async with connect(load_config(file.name)) as client:
            yield client
    ours.send("stop")
    process.join()


async def _in_process(count: int, server: Callable[[], Server]) -> dict[str, float]:
    begin = time.perf_counter()
    started = server()
    seconds = time.perf_counter() - begin
    figures = await measure(Client(InMemoryTransport(started)), count)
    started.close()
    return {"start, s": seconds, **figures}


def memory(objects: int = 50_000) -> float:
    """MiB that so many ConfigMaps of 1 KiB add to this process."""

    async def fill() -> float:
        server = Server()
        client = Client(InMemoryTransport(server))
        await client.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": _NAMESPACE}})
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        await creates(client, objects, 1, "memory")
        return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024

    return asyncio.run(fill())


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kubeconfig", type=Path)
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--memory", action="store_true", help="also 50,000 objects of 1 KiB")
    given = parser.parse_args()
    Server()  # what is loaded once is not counted
    columns: dict[str, dict[str, float]] = {}
    if given.kubeconfig:
        async with connect(load_config(str(given.kubeconfig))) as client:
            await remove(client)
            try:
                columns["real, HTTPS"] = await measure(client, given.count)
            finally:
                await remove(client)
    columns["in process"] = await _in_process(given.count, Server)
    async with served() as client:
        columns["HTTPS"] = await measure(client, given.count)
    with tempfile.TemporaryDirectory() as folder:
        async with served(folder) as client:
            columns["HTTPS, --data"] = await measure(client, given.count)
    real = columns.get("real, HTTPS", {})
    for name, figures in columns.items():
        for what, value in figures.items():
            ratio = f"  {value / real[what]:.2f} of the real one" if what in real else ""
            print(f"{name:14} {what:34} {value:10.3f}{ratio}")
    if given.memory:
        print(f"{'in process':14} {'50,000 ConfigMaps of 1 KiB, MiB':34} {await asyncio.to_thread(memory):10.1f}")


if __name__ == "__main__":
    asyncio.run(main())
