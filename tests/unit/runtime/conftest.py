"""An API server to run operators against: the embedded one, and with ``-m real`` a real one; and virtual time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest

from kubewright import clock
from kubewright.client import Client, connect, load_config
from kubewright.errors import AlreadyExists, NotFound
from kubewright.objects import Object, crd
from kubewright.runtime import Controller, Operator, ReconcileRecord, Running
from kubewright.server import InMemoryTransport, Server
from kubewright.testing import run_in_virtual_time

T = TypeVar("T")


class Api:
    """A namespace of one's own on some API server."""

    def __init__(self, client: Client, namespace: str) -> None:
        self.client = client
        self.namespace = namespace
        self.records: list[ReconcileRecord] = []

    async def install(self, *kinds: type[Object]) -> None:
        """Have the CRDs of these kinds served."""
        for kind in kinds:
            with contextlib.suppress(AlreadyExists):
                await self.client.create(crd(kind))
            while True:
                try:
                    await self.client.list(kind)
                    break
                except NotFound:
                    await asyncio.sleep(0.01)

    @asynccontextmanager
    async def operating(
        self, *controllers: Controller[Any], name: str = "demo", **options: Any
    ) -> AsyncIterator[Running]:
        """An operator at work in the namespace, at rest at the beginning; what it does is in ``records``."""
        options.setdefault("namespaces", [self.namespace])
        operator = Operator(name, controllers=controllers)
        async with operator.running(self.client, observers=[self.records.append], **options) as running:
            await running.wait_idle()
            yield running

    def writes(self, records: Sequence[ReconcileRecord] | None = None) -> list[str]:
        """All writes, as ``verb resource name``; forgets the records."""
        told = [
            f"{write.verb} {write.resource}{'/' + write.subresource if write.subresource else ''} {write.key.name}"
            for record in (self.records if records is None else records)
            for write in record.writes
        ]
        self.records.clear()
        return told


@pytest.fixture(params=["embedded", pytest.param("real", marks=pytest.mark.real)])
def _client_of(request: pytest.FixtureRequest) -> Callable[[], Client]:
    if request.param == "embedded":
        return lambda: Client(InMemoryTransport(Server()))
    kubeconfig: Path = request.getfixturevalue("real_kubeconfig")
    return lambda: connect(load_config(str(kubeconfig)))


@pytest.fixture
async def api(_client_of: Callable[[], Client]) -> AsyncIterator[Api]:
    async with _client_of() as client:
        namespace = f"runtime-{clock.current().bytes(4).hex()}"
        await client.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
        yield Api(client, namespace)
        await client.delete((await client.discovery.resolve("namespaces")), namespace)


@pytest.fixture
def virtually() -> Callable[[Coroutine[Any, Any, T]], T]:
    """Runs a coroutine to its end in virtual time, seeded."""
    return partial(run_in_virtual_time, seed=1)
