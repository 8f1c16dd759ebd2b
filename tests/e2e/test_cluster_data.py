"""``kubewright cluster up --data``: killed, and gone on from."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

from kubewright.client import connect, load_config
from kubewright.kinds import apps_v1, core_v1


async def _up(folder: Path) -> asyncio.subprocess.Process:
    command = [sys.executable, "-m", "kubewright", "cluster", "up", "--data", str(folder / "data")]
    command += ["--kubeconfig", str(folder / "kubeconfig")]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    while (line := await process.stdout.readline()) != b"ready\n":
        assert line, "it ended before it was ready"
    return process


async def test_a_killed_cluster_goes_on_where_it_was(tmp_path: Path) -> None:
    process = await _up(tmp_path)
    labels = {"app": "web"}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}},
        },
    }
    async with connect(load_config(str(tmp_path / "kubeconfig"))) as client:
        await client.create(deployment)
        while len(before := (await client.list(core_v1.Pod, namespace="default")).items) < 2:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.02)
    process.kill()
    await process.wait()
    process = await _up(tmp_path)
    async with connect(load_config(str(tmp_path / "kubeconfig"))) as client:
        after = (await client.list(core_v1.Pod, namespace="default")).items
        assert {pod.metadata.uid for pod in after} == {pod.metadata.uid for pod in before}
        while True:
            live = await client.get(apps_v1.Deployment, "web", "default")
            if live.status is not None and live.status.ready_replicas == 2:
                break
            await asyncio.sleep(0.02)
    second = await asyncio.create_subprocess_exec(
        *[sys.executable, "-m", "kubewright", "cluster", "up", "--data", str(tmp_path / "data")],
        *["--kubeconfig", str(tmp_path / "other")],
        stderr=subprocess.PIPE,
    )
    _, refused = await second.communicate()
    assert second.returncode == 2
    assert f"in use by process {process.pid}" in refused.decode()
    process.terminate()
    assert await process.wait() == 0
