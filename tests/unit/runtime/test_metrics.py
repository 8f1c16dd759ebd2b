"""What a scrape says of an operator at work."""

from __future__ import annotations

import re
from contextlib import suppress

import aiohttp

from kubewright.client import Client
from kubewright.errors import NotIdle, Permanent
from kubewright.kinds import core_v1 as core
from kubewright.objects import ObjectKey, ObjectMeta, Resource, Spec, Status, crd, resource
from kubewright.runtime import Controller, Desired, LeaseElection, Operator, Running, Seen
from kubewright.server import InMemoryTransport, Server


class GaugeSpec(Spec):
    """What becomes of it."""

    fails: str = ""


@resource(group="metrics.kubewright.test", version="v1")
class Gauge(Resource[GaugeSpec, Status]):
    """Something to count."""


class Gauges(Controller[Gauge]):
    """Fails as it is told."""

    owns = (core.ConfigMap,)

    def desired(self, obj: Gauge, seen: Seen, /) -> Desired[Status]:
        if obj.spec.fails == "for good":
            raise Permanent("as told")
        if obj.spec.fails:
            raise ValueError(obj.spec.fails)
        return Desired(children=[core.ConfigMap(metadata=ObjectMeta(name=obj.metadata.name))])


async def scrape(running: Running) -> dict[str, float]:
    """The samples, as a Prometheus reads them."""
    (server,) = running._servers
    url = f"http://127.0.0.1:{server.port}/metrics"
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        text = await response.text()
    samples = {}
    declared = set()
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            declared.add(line.split()[2])
        elif not line.startswith("#"):
            assert re.fullmatch(r'[a-z_]+\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\} [0-9.e+-]+', line)
            sample, value = line.rsplit(" ", 1)
            assert re.sub(r"_(bucket|sum|count)$", "", sample.partition("{")[0]) in declared
            samples[sample] = float(value)
    return samples


async def test_what_was_done_is_counted_under_controller_runtimes_names() -> None:
    server = Server()
    client = Client(InMemoryTransport(server))
    await client.create(crd(Gauge))
    for name, fails in (("a", ""), ("b", ""), ("c", "for good"), ("d", "now")):
        await client.create(Gauge(metadata=ObjectMeta(name=name), spec=GaugeSpec(fails=fails)))
    election = LeaseElection(
        ObjectKey("default", "demo"),
        identity="a",
        connect=lambda: Client(InMemoryTransport(server)),
        thread=False,
    )
    operator = Operator("demo", controllers=[Gauges()])
    async with operator.running(client, election=election, metrics_bind_address="127.0.0.1:0") as running:
        await running.wait_ready()
        with suppress(NotIdle):
            await running.wait_idle(0.5)
        found = await scrape(running)
    name = 'controller="gauge"'
    total = "controller_runtime_reconcile_total"
    assert found[f'{total}{{{name},result="success"}}'] >= 2
    errors = found[f'{total}{{{name},result="error"}}']
    assert errors >= 2
    assert found[f"controller_runtime_reconcile_errors_total{{{name}}}"] == errors
    assert found[f"controller_runtime_terminal_reconcile_errors_total{{{name}}}"] == 1
    assert found[f"controller_runtime_max_concurrent_reconciles{{{name}}}"] == Gauges().workers
    assert found[f"controller_runtime_active_workers{{{name}}}"] == 0
    assert found[f'workqueue_depth{{name="gauge",{name}}}'] == 0
    assert found['leader_election_master_status{name="demo"}'] == 1
    assert found[f'kubewright_reconcile_writes_total{{{name},verb="create",code="201"}}'] == 2
    buckets = [value for sample, value in found.items() if "_time_seconds_bucket" in sample]
    assert buckets == sorted(buckets)
    count = found[f"controller_runtime_reconcile_time_seconds_count{{{name}}}"]
    assert buckets[-1] == count == sum(value for sample, value in found.items() if sample.startswith(total))
    assert found[f"controller_runtime_reconcile_time_seconds_sum{{{name}}}"] > 0


async def test_nothing_is_counted_where_nobody_asks() -> None:
    client = Client(InMemoryTransport(Server()))
    await client.create(crd(Gauge))
    async with Operator("demo", controllers=[Gauges()]).running(client) as running:
        assert not running._servers
        assert not running._observers
