"""A whole cluster in this process: the embedded API server with controllers and simulated Pods."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from kubewright import clock
from kubewright.client import Client
from kubewright.cluster.cronjobs import CronJobController
from kubewright.cluster.daemonsets import DaemonSetController
from kubewright.cluster.deployments import DeploymentController
from kubewright.cluster.disruption import DisruptionController
from kubewright.cluster.garbage import GarbageCollector
from kubewright.cluster.jobs import JobController
from kubewright.cluster.namespaces import NamespaceController
from kubewright.cluster.nodes import NodeController, create_node, touch_node
from kubewright.cluster.pods import PodController
from kubewright.cluster.replicasets import ReplicaSetController
from kubewright.cluster.services import EndpointsController, ServiceController
from kubewright.cluster.simulation import PodStages, SimulatedPods
from kubewright.cluster.statefulsets import StatefulSetController
from kubewright.cluster.volumes import ClaimController, VolumeController, create_storage_class
from kubewright.errors import NotIdle, UsageError
from kubewright.runtime import Controller, Operator, Running
from kubewright.server import DataFolder, InMemoryTransport, Server
from kubewright.wire import Transport

if TYPE_CHECKING:
    from kubewright.server import Listener

_NAME = "kubewright"
_POLL_SECONDS = 0.002


class Cluster:
    """An API server, and what makes it a cluster, until the end of the block.

    ::

        async with Cluster() as cluster:
            client = cluster.client()

    Pods are simulated: they are scheduled, run and become ready in name only, and say so; so are the volumes of
    claims, whose default StorageClass is ``standard``. Served but not acted upon: ReplicationControllers,
    HorizontalPodAutoscalers, ResourceQuotas, NetworkPolicies, Ingresses, load balancers; of Jobs, failure and
    success policies; of StatefulSets and DaemonSets, ControllerRevisions (``kubectl rollout history``); of
    StatefulSets, the retention policy of claims. Evictions from a lost node do not happen.

    Args:
        data: a folder that everything is kept in and gone on from; without it, all is gone with the block.
        fsync: with ``data``, answer only once the disk has what was written; without, the end of the machine (not
            that of the process) may lose the last of it.
        controllers: also run the built-in controllers; without them it is a bare API server.
        stages: how long simulated Pods take for each stage.

    Attributes:
        pods: the simulated Pods, to slow them down and to make them fail.
    """

    def __init__(
        self,
        *,
        controllers: bool = True,
        stages: PodStages | None = None,
        data: Path | None = None,
        fsync: bool = True,
    ) -> None:
        self.server = Server(data=DataFolder(data, fsync=fsync) if data is not None else None)
        self.transport: Transport = InMemoryTransport(self.server)
        self.pods = SimulatedPods(stages or PodStages())
        self.pods.changed = self._simulation_changed
        self._pod_controller = PodController(self.pods)
        self._with_controllers = controllers
        self._running: Running | None = None
        self._garbage: GarbageCollector | None = None
        self._clients: list[Client] = []
        self._touches: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await self.server.resume()
        if not self._with_controllers:
            return self
        client = self.client()
        await create_node(client)
        await create_storage_class(client)
        self._running = Operator(_NAME, controllers=self._controllers()).running(client, shutdown_seconds=1.0)
        await self._running.__aenter__()
        self._garbage = GarbageCollector(client, self._running.cache)
        await self._garbage.start()
        await self._running.wait_ready()
        await self._until_quiet(30.0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await asyncio.gather(*self._touches)
            if self._garbage is not None:
                await self._garbage.stop()
            if self._running is not None:
                await self._running.__aexit__(kind, error, trace)
        finally:
            self.server.close()
            for client in self._clients:
                await client.close()

    def _controllers(self) -> Sequence[Controller[Any]]:
        return [
            NamespaceController(),
            DeploymentController(),
            ReplicaSetController(),
            StatefulSetController(),
            DaemonSetController(),
            JobController(),
            CronJobController(),
            DisruptionController(),
            NodeController(self.pods),
            self._pod_controller,
            ServiceController(),
            EndpointsController(),
            ClaimController(),
            VolumeController(),
        ]

    def _simulation_changed(self) -> None:
        self._pod_controller.try_again()
        if self._running is not None:
            task = asyncio.get_running_loop().create_task(touch_node(self._clients[0]))
            self._touches.add(task)
            task.add_done_callback(self._touches.discard)

    def client(self, namespace: str = "default") -> Client:
        """A client in this process, as the administrator; closed with the cluster."""
        client = Client(InMemoryTransport(self.server), namespace=namespace)
        self._clients.append(client)
        return client

    async def listen(self, host: str = "127.0.0.1", port: int = 0, *, tls: bool = True) -> Listener:
        """Let clients of any kind connect; the caller closes the listener.

        Raises:
            UsageError: the address cannot be bound.
        """
        from kubewright.server import listen  # loads certificates and HTTP: most tests do without

        return await listen(self.server, host=host, port=port, tls=tls)

    def kubeconfig(self, listener: Listener) -> str:
        """A kubeconfig for the administrator, as YAML."""
        cluster = [f"    server: {listener.url}"]
        if listener.ca_pem:
            authority = base64.b64encode(listener.ca_pem).decode()
            cluster.append(f"    certificate-authority-data: {authority}")
        return "\n".join(
            [
                "apiVersion: v1",
                "kind: Config",
                "clusters:",
                f"- name: {_NAME}",
                "  cluster:",
                *cluster,
                "users:",
                f"- name: {_NAME}",
                "  user:",
                f"    token: {listener.token}",
                "contexts:",
                f"- name: {_NAME}",
                "  context:",
                f"    cluster: {_NAME}",
                f"    user: {_NAME}",
                f"current-context: {_NAME}",
                "",
            ]
        )

    @property
    def revision(self) -> int:
        """The server's resource version: it moves with every change of any object."""
        return self.server.store.revision

    @property
    def idle(self) -> bool:
        """Whether the controllers have nothing to do at the moment."""
        if self._running is None or self._garbage is None:
            return True
        return not self._touches and self._running.idle and self._garbage.idle

    async def wait_idle(self, timeout: float = 30.0) -> None:  # noqa: ASYNC109 - its error says what is missing
        """Wait until the controllers have seen everything and have nothing to do.

        What waits for a time to come (a Pod that is ready only after a while) is not waited for.

        Raises:
            NotIdle: it takes longer than ``timeout`` seconds.
        """
        if self._running is None:
            return
        end = clock.monotonic() + timeout
        while True:
            before = self.revision
            await self._running.wait_idle(max(end - clock.monotonic(), 0.0))
            await self._until_quiet(max(end - clock.monotonic(), 0.0))
            if self.revision == before and self.idle:
                return

    async def _until_quiet(self, seconds: float) -> None:
        end = clock.monotonic() + seconds
        while not self.idle:
            self.check()
            if clock.monotonic() >= end:
                raise NotIdle(f"the cluster's controllers are not idle after {seconds:.0f} s")
            await clock.sleep(_POLL_SECONDS)

    def check(self) -> None:
        """Raise what ended a controller that should never end.

        Raises:
            UsageError: the cluster is not running.
        """
        if self._running is None or self._garbage is None:
            raise UsageError("the cluster is not running", hint="async with Cluster() as cluster:")
        self._running.check()
        if (error := self._garbage.failed()) is not None:
            raise error
