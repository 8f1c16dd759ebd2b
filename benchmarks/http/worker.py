"""One candidate doing one thing, once, in a process of its own; prints one line of JSON."""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import ssl
import sys
import time
from pathlib import Path

from candidates import CANDIDATES, Candidate


async def watch(candidate: Candidate, path: str, count: int) -> None:
    seen, begun = 0, b""
    async for chunk in candidate.stream(path):
        *lines, begun = (begun + chunk).split(b"\n")
        seen += len(lines)
        if seen >= count:
            return
    raise SystemExit(f"only {seen} events came")


async def writes(candidate: Candidate, path: str, count: int, in_flight: int) -> None:
    numbers = iter(range(count))

    async def write() -> None:
        for number in numbers:
            name = f"w{number:06}"
            body = {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": name, "labels": {"app": name}},
                "data": {"key": "x" * 1000},
            }
            status = await candidate.post(path, json.dumps(body).encode())
            if status != 201:
                raise SystemExit(f"the server answered {status}")

    await asyncio.gather(*(write() for _ in range(in_flight)))


def memory() -> float:
    """The most memory held so far, in MiB. getrusage would tell of the parent, which this was forked from."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM")) / 1024


async def run(arguments: argparse.Namespace) -> None:
    cls, _, _ = CANDIDATES[arguments.candidate]
    headers = {"accept": "application/json", "content-type": "application/json", "user-agent": "benchmark"}
    if arguments.token:
        headers["authorization"] = f"Bearer {arguments.token}"
    verify = None
    if arguments.ca:
        verify = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        verify.load_verify_locations(arguments.ca)
    candidate = cls(arguments.server, headers, verify, arguments.ca)
    await candidate.open()
    # One request before the clock starts: imports made late, the first connection.
    await writes(candidate, arguments.writes, 1, 1)
    cpu, wall = time.process_time(), time.perf_counter()
    if arguments.scenario == "watch":
        await watch(candidate, arguments.watch, arguments.count)
    else:
        await writes(candidate, arguments.writes, arguments.count, 32)
    figures = {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall, "memory": memory()}
    print(json.dumps(figures), flush=True)
    await candidate.close()


def importing(module: str, *, uvloop: bool) -> None:
    before = memory()
    cpu, wall = time.process_time(), time.perf_counter()
    __import__(module)
    if uvloop:
        __import__("uvloop")
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    print(json.dumps({"cpu": cpu, "wall": wall, "memory": memory() - before}))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("candidate")
    parser.add_argument("scenario", choices=["watch", "writes", "import"])
    parser.add_argument("--server", default="")
    parser.add_argument("--token", default="")
    parser.add_argument("--ca", default="")
    parser.add_argument("--watch", default="")
    parser.add_argument("--writes", default="")
    parser.add_argument("--count", type=int, default=0)
    arguments = parser.parse_args()
    _, module, uvloop = CANDIDATES[arguments.candidate]
    if arguments.scenario == "import":
        importing(module, uvloop=uvloop)
        return
    if uvloop:
        import uvloop as loops

        loops.run(run(arguments))
    else:
        asyncio.run(run(arguments))
    sys.stdout.flush()


if __name__ == "__main__":
    main()
