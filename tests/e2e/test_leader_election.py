"""Two replicas as processes: one works, and the other takes over when that ends, or is killed."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from kubewright import clock
from kubewright.client import Client, connect, load_config
from kubewright.errors import AlreadyExists, NotFound
from kubewright.kinds import apiextensions, core
from kubewright.kinds.coordination_v1 import Lease
from kubewright.objects import Resource, Spec, Status, crd, resource

Start = Callable[..., Any]

OPERATOR = '''
from kubewright import Controller, Desired, ObjectMeta, Operator, Resource, Spec, Status, resource
from kubewright.kinds import apiextensions, core


class MemoSpec(Spec):
    text: str = ""


@resource(group="replicas.kubewright.test", version="v1")
class Memo(Resource[MemoSpec, Status]):
    """A memo."""


class Memos(Controller[Memo]):
    owns = (core.ConfigMap,)

    def desired(self, memo, seen):
        return Desired(children=[core.ConfigMap(metadata=ObjectMeta(name=memo.metadata.name))])


def operator():
    return Operator("replicas", controllers=[Memos()])
'''


class MemoSpec(Spec):
    """As above."""

    text: str = ""


@resource(group="replicas.kubewright.test", version="v1")
class Memo(Resource[MemoSpec, Status]):
    """As above."""


# The lease of a replica that is killed runs out in real time: 15 seconds of waiting.
@pytest.fixture(
    params=[pytest.param("embedded", marks=pytest.mark.slow), pytest.param("real", marks=pytest.mark.real)]
)
def kubeconfig(request: pytest.FixtureRequest, start: Start, tmp_path: Path) -> Path:
    if request.param == "real":
        path: Path = request.getfixturevalue("real_kubeconfig")
        return path
    start("kubewright", "cluster", "up", "--kubeconfig", tmp_path / "kubeconfig").wait_for("ready")
    return tmp_path / "kubeconfig"


@pytest.fixture
async def client(kubeconfig: Path) -> AsyncIterator[Client]:
    namespace = f"replicas-{clock.uuid4()[:8]}"
    async with connect(load_config(kubeconfig, namespace=namespace)) as client:
        with suppress(AlreadyExists):
            await client.create(crd(Memo))
        await client.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
        yield client
        await client.delete(core.Namespace, namespace)
        await client.delete(apiextensions.CustomResourceDefinition, f"memos.{Memo.api_resource.group}")


async def reconciled(client: Client, name: str) -> None:
    await client.create(
        {"apiVersion": "replicas.kubewright.test/v1", "kind": "Memo", "metadata": {"name": name}, "spec": {}}
    )
    async with asyncio.timeout(30):
        while True:
            try:
                await client.get(core.ConfigMap, name)
                return
            except NotFound:
                await asyncio.sleep(0.02)


def at(line: str) -> datetime:
    return datetime.fromisoformat(json.loads(line)["ts"])


async def test_a_standby_takes_over(client: Client, kubeconfig: Path, start: Start, tmp_path: Path) -> None:
    (tmp_path / "replicas.py").write_text(OPERATOR)

    def replica(name: str) -> Any:
        words = ("kubewright", "run", "replicas:operator", "--leader-elect", "--kubeconfig", kubeconfig)
        env = {"POD_NAME": name, "POD_NAMESPACE": client.namespace, "WATCH_NAMESPACE": client.namespace}
        return start(*words, "--log-format", "json", env=env)

    first = replica("first")
    first.wait_for("leads")
    second = replica("second")
    second.wait_for("is held by first_")
    await reconciled(client, "a")

    first.send(signal.SIGTERM)
    released = at(first.wait_for("is released"))
    taken = at(second.wait_for("leads"))
    assert (taken - released).total_seconds() < 1
    assert first.end() == 0
    await reconciled(client, "b")

    third = replica("third")
    third.wait_for("is held by second_")
    second.send(signal.SIGKILL)
    killed = clock.now()
    third.wait_for("leads")
    assert 12 < (clock.now() - killed).total_seconds() < 17
    await reconciled(client, "c")
    lease = await client.get(Lease, "replicas")
    assert lease.spec is not None
    assert (lease.spec.holder_identity or "").startswith("third_")
    assert lease.spec.lease_transitions == 2
    third.send(signal.SIGTERM)
    assert third.end() == 0
