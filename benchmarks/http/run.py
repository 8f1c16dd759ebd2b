#!/usr/bin/env python3
"""Compare HTTP libraries; see README.md."""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path

HERE = Path(__file__).parent
PACKAGES = ["aiohttp", "uvloop", "httpx", "niquests", "h11", "httptools"]
NAMESPACE = "http-benchmark"
EVENTS, WRITES = 10_000, 2_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kubeconfig", help="a real API server; without it, a server of our own")
    parser.add_argument("--rounds", type=int, default=5, help="how often each is run; they take turns")
    parser.add_argument("--python", default=f"{sys.version_info.major}.{sys.version_info.minor}")
    parser.add_argument("--keep", action="store_true", help="leave the objects made for the watch in the cluster")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="http-benchmark-")))
        python = environment(folder, arguments.python)
        if arguments.kubeconfig:
            where = real(arguments.kubeconfig, folder, stack, keep=arguments.keep)
        else:
            where = own(python, stack)
        measure(python, where, arguments.rounds)


def environment(folder: Path, version: str) -> Path:
    python = folder / "venv" / "bin" / "python"
    subprocess.run(["uv", "venv", "-q", "--python", version, str(folder / "venv")], check=True)
    subprocess.run(["uv", "pip", "install", "-q", "--python", str(python), *PACKAGES], check=True)
    code = f"import importlib.metadata as m; print(', '.join(f'{{p}} {{m.version(p)}}' for p in {PACKAGES!r}))"
    print(subprocess.run([str(python), "-c", code], check=True, capture_output=True, text=True).stdout)
    return python


def own(python: Path, stack: ExitStack) -> list[str]:
    server = subprocess.Popen([str(python), str(HERE / "server.py")], stdout=subprocess.PIPE, text=True)
    stack.callback(server.wait)
    stack.callback(server.terminate)
    assert server.stdout is not None
    port = server.stdout.readline().strip()
    return ["--server", f"http://127.0.0.1:{port}", "--watch", "/watch", "--writes", "/writes"]


def real(kubeconfig: str, folder: Path, stack: ExitStack, *, keep: bool) -> list[str]:
    from kubewright.client import load_config

    config = load_config(kubeconfig)
    ca = folder / "ca.pem"
    ca.write_bytes(config.tls.ca_pem)
    assert config.credentials is not None
    token = asyncio.run(config.credentials.identity()).authorization.removeprefix("Bearer ")
    asyncio.run(prepare(kubeconfig))
    if not keep:
        stack.callback(lambda: asyncio.run(remove(kubeconfig)))
    path = f"/api/v1/namespaces/{NAMESPACE}/configmaps"
    return [
        *("--server", config.server, "--token", token, "--ca", str(ca)),
        *("--watch", f"{path}?watch=true&resourceVersion=0", "--writes", f"{path}?dryRun=All"),
    ]


async def prepare(kubeconfig: str) -> None:
    from kubewright import errors
    from kubewright.client import connect, load_config
    from kubewright.objects import ApiResource

    config_maps = ApiResource(group="", version="v1", kind="ConfigMap", plural="configmaps")
    async with connect(load_config(kubeconfig, namespace=NAMESPACE)) as client:
        with suppress(errors.AlreadyExists):
            await client.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
        there = {item.metadata.name for item in (await client.list(config_maps, namespace=NAMESPACE)).items}
        missing = iter([name for name in (f"e{n:06}" for n in range(EVENTS)) if name not in there])

        async def create() -> None:
            for name in missing:
                metadata = {"name": name, "labels": {"app": name}}
                data = {"key": "x" * 1000}
                await client.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data})

        await asyncio.gather(*(create() for _ in range(16)))


async def remove(kubeconfig: str) -> None:
    from kubewright.client import connect, load_config
    from kubewright.objects import ApiResource

    async with connect(load_config(kubeconfig, namespace=NAMESPACE)) as client:
        await client.delete_collection(ApiResource(group="", version="v1", kind="ConfigMap", plural="configmaps"))
        await client.delete(
            ApiResource(group="", version="v1", kind="Namespace", plural="namespaces", namespaced=False), NAMESPACE
        )


def measure(python: Path, where: list[str], rounds: int) -> None:
    sys.path.insert(0, str(HERE))
    from candidates import CANDIDATES

    figures: dict[tuple[str, str], list[dict[str, float]]] = {}
    for _ in range(rounds):
        for scenario, count in (("import", 0), ("writes", WRITES), ("watch", EVENTS)):
            for candidate in CANDIDATES:
                command = [str(python), str(HERE / "worker.py"), candidate, scenario, "--count", str(count), *where]
                done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
                if done.returncode:
                    print(f"{candidate}, {scenario}: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
                    continue
                figures.setdefault((candidate, scenario), []).append(json.loads(done.stdout))
    report(list(CANDIDATES), figures)


def report(candidates: list[str], figures: dict[tuple[str, str], list[dict[str, float]]]) -> None:
    print("| candidate | write, CPU ms | writes, wall s | event, CPU µs | watch, wall s | import, CPU ms | MiB |")
    print("|---|---|---|---|---|---|---|")
    for candidate in candidates:
        cells = [
            cell(figures.get((candidate, scenario)), measured, scale)
            for scenario, measured, scale in (
                ("writes", "cpu", 1e3 / WRITES),
                ("writes", "wall", 1),
                ("watch", "cpu", 1e6 / EVENTS),
                ("watch", "wall", 1),
                ("import", "cpu", 1e3),
                ("import", "memory", 1),
            )
        ]
        print(f"| {candidate} | {' | '.join(cells)} |")


def cell(runs: list[dict[str, float]] | None, measured: str, scale: float) -> str:
    if not runs:
        return "failed"
    values = [run[measured] * scale for run in runs]
    return f"{statistics.median(values):.3g} ({min(values):.3g}-{max(values):.3g})"


if __name__ == "__main__":
    main()
