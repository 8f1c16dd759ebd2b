"""A cluster and the operator under test in it, with helpers that read well in a test."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from types import TracebackType
from typing import Any, Self, TypeVar, overload

from kubewright import clock
from kubewright.client import Client, PropagationPolicy
from kubewright.cluster import Cluster
from kubewright.errors import NotFound, NotIdle
from kubewright.manifests import crds
from kubewright.objects import ApiResource, Object, ObjectKey, RawObject
from kubewright.runtime import Operator, ReconcileRecord, Running, is_ready
from kubewright.testing.rights import RightsTransport, install_rights
from kubewright.testing.waiting import NotReached, ObjectWatch, Pulse, told, until

ObjectT = TypeVar("ObjectT", bound=Object)

_MANAGER = "test"
_REMEMBERED = 20


class Environment:
    """An operator running in a cluster of its own, in this process.

    ::

        async with Environment(operator()) as env:
            app = await env.apply(AppService(metadata=ObjectMeta(name="web"), spec=...))
            await env.wait_ready(app)
            deployment = await env.get(apps.Deployment, "web")

    Args:
        operator: the one under test, or None to start one later with :meth:`running`.
        cluster: to run in; a new one unless given.
        namespace: where objects that name none are.
        as_generated_role: the operator works as it would once deployed in ``namespace``: as its ServiceAccount,
            with the role made of what its controllers declare. What that does not allow fails the test and is told.
    """

    def __init__(
        self,
        operator: Operator | None = None,
        *,
        cluster: Cluster | None = None,
        namespace: str = "default",
        as_generated_role: bool = False,
    ) -> None:
        self.namespace = namespace
        self._as_generated_role = as_generated_role
        self._operator = operator
        self._given = cluster
        self._stack = AsyncExitStack()
        self._pulse = Pulse()
        self._running: list[Running] = []
        self._records: defaultdict[tuple[str, ObjectKey], deque[ReconcileRecord]] = defaultdict(
            lambda: deque(maxlen=_REMEMBERED)
        )

    async def __aenter__(self) -> Self:
        given = self._given
        self.cluster: Cluster = given if given is not None else await self._stack.enter_async_context(Cluster())
        self.client: Client = self.cluster.client(self.namespace)
        if self._operator is not None:
            await self._stack.enter_async_context(self.running(self._operator))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.__aexit__(kind, error, trace)

    @asynccontextmanager
    async def running(self, operator: Operator) -> AsyncIterator[Running]:
        """Install the operator's custom resources, and run it for the length of the block.

        Raises:
            MissingRights: ``as_generated_role`` was asked for, and the role does not allow all that was done.
        """
        await self.install(operator)
        client, namespaces, rights = self.client, None, None
        if self._as_generated_role:
            await install_rights(self.client, operator, self.namespace)
            rights = RightsTransport(self.cluster.server, operator, self.namespace)
            client = Client(rights, namespace=self.namespace)
            namespaces = operator.namespaces or (self.namespace,)
        try:
            async with operator.running(
                client, namespaces=namespaces, observers=[self._observe], shutdown_seconds=5.0
            ) as running:
                self._running.append(running)
                try:
                    await running.wait_ready()
                    yield running
                finally:
                    self._running.remove(running)
        finally:
            if rights is not None:
                await client.close()
                rights.check()

    async def install(self, operator: Operator) -> None:
        """Create the CustomResourceDefinitions of the operator, or bring them up to date."""
        for definition in crds(operator):
            found = await self.client.apply(definition, field_manager=_MANAGER, force=True)
            name = found.metadata.name
            await self._until(found, _established, 10.0, f"CustomResourceDefinition {name} is not established")

    # -- objects ------------------------------------------------------------------------------------------------

    async def apply(self, obj: ObjectT) -> ObjectT:
        """Apply ``obj`` as a user would with ``kubectl apply --server-side``; as it is then."""
        wanted = self._placed(obj)
        applied = await self.client.apply(wanted, field_manager=_MANAGER, force=True)
        self._records.pop(_key_of(applied), None)  # what was said before concerns another spec
        return applied

    async def create(self, obj: ObjectT) -> ObjectT:
        """Create ``obj``; as it is then."""
        return await self.client.create(self._placed(obj), field_manager=_MANAGER)

    @overload
    async def get(self, kind: ObjectT, /) -> ObjectT: ...
    @overload
    async def get(self, kind: type[ObjectT], name: str, namespace: str | None = None) -> ObjectT: ...
    async def get(
        self, kind: type[ObjectT] | ObjectT, name: str | None = None, namespace: str | None = None
    ) -> ObjectT:
        """An object by kind and name, or the present state of one at hand.

        Raises:
            NotFound: it is not there.
        """
        if isinstance(kind, Object):
            cls, name, namespace = type(kind), kind.metadata.name, kind.metadata.namespace
        else:
            cls = kind
        return await self.client.get(cls, name or "", namespace or self._namespace_of(cls))

    async def list(
        self, kind: type[ObjectT], selector: str | Mapping[str, str] = "", namespace: str | None = None
    ) -> list[ObjectT]:
        """The objects of a kind in a namespace, narrowed by labels."""
        labels = (
            selector if isinstance(selector, str) else ",".join(f"{key}={value}" for key, value in selector.items())
        )
        found = await self.client.list(kind, namespace=namespace or self._namespace_of(kind), label_selector=labels)
        return found.items

    async def delete(self, obj: Object, *, propagation_policy: PropagationPolicy | None = None) -> None:
        """Delete ``obj``; see :meth:`wait_gone`."""
        placed = self._placed(obj)
        await self.client.delete(
            type(obj), placed.metadata.name or "", placed.metadata.namespace, propagation_policy=propagation_policy
        )

    # -- waiting ------------------------------------------------------------------------------------------------

    async def wait_ready(self, obj: ObjectT, timeout: float = 10.0) -> ObjectT:  # noqa: ASYNC109
        """Wait until ``obj`` is ready and stays so once all there was to do is done; as it is then.

        A custom resource of the operator under test is ready when its controller says so; of other kinds, what
        their status says counts.

        Raises:
            NotReached: it is not ready within ``timeout`` seconds; the message says what was last seen.
        """
        name, resource = f"{obj.kind} {obj.metadata.name}", obj.api_resource

        async def ready(raw: RawObject | None) -> bool:
            return raw is not None and self._is_ready(resource, raw) and await self._settled(resource, raw)

        raw = await self._until(obj, ready, timeout, f"{name} is not ready")
        return await self.get(obj) if raw is not None else obj

    async def wait_for(
        self,
        obj: ObjectT,
        reached: Callable[[ObjectT], bool],
        timeout: float = 10.0,  # noqa: ASYNC109
    ) -> ObjectT:
        """Wait until ``obj``, as it is on the server, satisfies ``reached``; as it is then.

        Raises:
            NotReached: it does not within ``timeout`` seconds.
        """
        found: list[ObjectT] = []

        async def satisfied(raw: RawObject | None) -> bool:
            if raw is None:
                return False
            found[:] = [await self.get(obj)]
            return reached(found[0])

        what = f"{obj.kind} {obj.metadata.name} is not as waited for"
        await self._until(obj, satisfied, timeout, what)
        return found[0]

    async def wait_gone(self, obj: Object, timeout: float = 10.0) -> None:  # noqa: ASYNC109
        """Wait until ``obj`` (by its uid, if it has one) is no longer there.

        Raises:
            NotReached: it still is after ``timeout`` seconds.
        """
        uid = obj.metadata.uid

        async def gone(raw: RawObject | None) -> bool:
            return raw is None or (bool(uid) and raw.metadata.uid != uid)

        await self._until(obj, gone, timeout, f"{obj.kind} {obj.metadata.name} is still there")

    async def wait_idle(self, timeout: float = 10.0) -> None:  # noqa: ASYNC109
        """Wait until the operator and the cluster's controllers have nothing to do.

        What waits for a time to come (a requeue, a Pod that is slow) is not waited for.

        Raises:
            NotIdle: they still have after ``timeout`` seconds; the message says what.
        """
        end = clock.monotonic() + timeout
        while True:
            before = self.cluster.revision
            for running in self._running:
                await running.wait_idle(max(end - clock.monotonic(), 0.001))
            await self.cluster.wait_idle(max(end - clock.monotonic(), 0.001))
            if self.cluster.revision == before and all(running.idle for running in self._running):
                return

    async def _settled(self, resource: ApiResource, raw: RawObject) -> bool:
        try:
            await self.wait_idle(2.0)
        except NotIdle:
            return True  # something else is busy: what the object says has to do
        try:
            now = await self.client.get(resource, raw.metadata.name, raw.metadata.namespace or None)
        except NotFound:
            return False
        return self._is_ready(resource, now)

    def _is_ready(self, resource: ApiResource, raw: RawObject) -> bool:
        if raw.metadata.deletion_timestamp is not None:
            return False
        records = self._records.get((resource.kind, raw.key))
        if records is not None:
            last = records[-1]
            return last.outcome == "done" and last.ready is not False
        controlled = (controller.kind for run in self._running for controller in run.operator.controllers)
        if any(kind.api_resource == resource for kind in controlled):
            return False
        return is_ready(resource.group_resource, raw.to_dict())

    # -- inside -------------------------------------------------------------------------------------------------

    async def _until(self, obj: Object | RawObject, reached: Any, timeout: float, what: str) -> RawObject | None:  # noqa: ASYNC109
        resource = obj.api_resource if isinstance(obj, Object) else await self.client.discovery.find(obj.gvk)
        name = obj.metadata.name or ""
        namespace = (obj.metadata.namespace or self.namespace) if resource.namespaced else ""
        last: list[RawObject | None] = [None]

        async def check() -> bool:
            try:
                last[0] = await self.client.get(resource, name, namespace or None)
            except NotFound:
                last[0] = None
            return bool(await reached(last[0]))

        async with ObjectWatch(self.client, resource, namespace, name, self._pulse):
            if await until(check, self._pulse, timeout):
                return last[0]
        records = self._records.get((resource.kind, ObjectKey(namespace, name)), ())
        seen = await told(self.client, resource, last[0], [*records])
        raise NotReached(f"{what} after {timeout:g} s:\n  {seen}")

    def _observe(self, record: ReconcileRecord) -> None:
        self._records[record.kind, record.key].append(record)
        self._pulse.tick()

    def _namespace_of(self, kind: type[Object]) -> str | None:
        return self.namespace if kind.api_resource.namespaced else None

    def _placed(self, obj: ObjectT) -> ObjectT:
        if obj.api_resource.namespaced and not obj.metadata.namespace:
            obj.metadata.namespace = self.namespace
        return obj


async def _established(raw: RawObject | None) -> bool:
    conditions = (raw.to_dict().get("status") or {}).get("conditions") or () if raw else ()
    return any(c.get("type") == "Established" and c.get("status") == "True" for c in conditions)


def _key_of(obj: Object) -> tuple[str, ObjectKey]:
    return obj.kind, ObjectKey(obj.metadata.namespace or "", obj.metadata.name or "")
