"""How long it takes until something runs, each time in a new process: CPU, since machines are shared.

``python benchmarks/start/run.py [RUNS]`` prints a table: median, and the least and most of all runs.
"""

from __future__ import annotations

import json
import platform
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RUNS = 9

IMPORT = """
import json, resource, sys, time
began = time.process_time()
{what}
seconds = time.process_time() - began
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)
print(json.dumps({{"cpu ms": seconds * 1000, "MiB": memory}}))
"""

CLUSTER = """
import asyncio, json, time
from kubewright.cluster import Cluster

async def main():
    answers = {}
    for which in ("first", "second"):
        began = time.process_time()
        async with Cluster():
            answers[which] = (time.process_time() - began) * 1000
    return answers

print(json.dumps(asyncio.run(main())))
"""

FIRST_USE = """
import asyncio, json, time
from kubewright.cluster import Cluster

POD = {"containers": [{"name": "web", "image": "nginx"}]}
TEMPLATE = {"metadata": {"labels": {"app": "web"}}, "spec": POD}
MANIFESTS = {
    "Pod": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": POD},
    "Deployment": {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
        "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": TEMPLATE},
    },
}

async def main():
    answers = {}
    async with Cluster() as cluster:
        client = cluster.client()
        await client.discovery.resources()
        for kind, manifest in MANIFESTS.items():
            began = time.process_time()
            await client.apply(manifest, field_manager="benchmark", dry_run=True)
            answers[kind] = (time.process_time() - began) * 1000
    return answers

print(json.dumps(asyncio.run(main())))
"""


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    python(IMPORT.format(what="import kubewright.runtime, aiohttp, kubewright.cluster"))  # compiles what is new
    rows: list[tuple[str, str, list[float]]] = []

    def measure(what: str, once: Callable[[], dict[str, float]], units: dict[str, tuple[str, str]]) -> None:
        answers = [once() for _ in range(runs)]
        for key, (label, unit) in units.items():
            rows.append((f"{what}{label}", unit, [answer[key] for answer in answers]))

    imported = {"cpu ms": ("", "ms"), "MiB": (", the process then", "MiB")}
    for module in ("kubewright.runtime", "kubewright.runtime, aiohttp", "kubewright.cluster"):
        program = IMPORT.format(what=f"import {module}")
        measure(f"import {module}", lambda program=program: python(program), imported)
    measure("Cluster()", lambda: python(CLUSTER), {"first": (", the first", "ms"), "second": (", the next", "ms")})
    measure(
        "apply",
        lambda: python(FIRST_USE),
        {"Pod": (" of a Pod, the first", "ms"), "Deployment": (" of a Deployment, the first", "ms")},
    )
    measure("kubewright up --embedded", up, {"ready": (" until ready", "ms"), "cpu": (" until stopped, CPU", "ms")})

    versions = ", ".join(f"{name} {version(name)}" for name in ("aiohttp", "msgspec"))
    print(f"Python {platform.python_version()}, {versions}; {runs} runs")
    print("\n| what | median | least | most |\n|---|---|---|---|")
    for label, unit, values in rows:
        figures = (statistics.median(values), min(values), max(values))
        print(f"| {label} | {' | '.join(f'{figure:.0f} {unit}' for figure in figures)} |")


def python(program: str) -> dict[str, float]:
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    answers: dict[str, float] = json.loads(done.stdout)
    return answers


def up() -> dict[str, float]:
    """The example on the embedded cluster, as README's first command has it."""
    example = ROOT / "examples" / "appservice"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "kubewright", "up", "--embedded", str(example), "-o", "json"]
        command += ["--kubeconfig", f"{folder}/kubeconfig"]
        command += ["--apply", str(example / "deploy/crds/app_v1_appservice_cr.yaml")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            ready = next(line for line in map(json.loads, process.stdout) if line["event"] == "ready")
            process.send_signal(signal.SIGINT)
            process.stdout.read()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"ready": ready["seconds"] * 1000, "cpu": cpu * 1000}


if __name__ == "__main__":
    main()
