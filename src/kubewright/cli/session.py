"""One run of ``kubewright up``, from the CRDs to Ctrl-C."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kubewright import clock
from kubewright.cli import reconciles
from kubewright.cli.install import FIELD_MANAGER, install_definition
from kubewright.cli.livelog import logging_to
from kubewright.cli.observe import Observer
from kubewright.cli.project import load_kinds, load_project
from kubewright.cli.run import watched_namespaces
from kubewright.errors import ApiError, KubewrightError
from kubewright.manifests import crds, read_documents
from kubewright.objects import ApiResource, GroupVersionKind, ObjectKey, RawObject, parse_api_version

if TYPE_CHECKING:
    from kubewright.cli.view import View
    from kubewright.cli.world import World
    from kubewright.client import Client, ClientConfig
    from kubewright.runtime import ReconcileRecord, Running
    from kubewright.scaffold import Project

_REPLICA_SETS = ApiResource(group="apps", version="v1", kind="ReplicaSet", plural="replicasets")
_JOBS = ApiResource(group="batch", version="v1", kind="Job", plural="jobs")
_PODS = ApiResource(group="", version="v1", kind="Pod", plural="pods")
# What built-in controllers make of the kinds that operators own.
_MADE_OF = {
    "cronjobs.batch": (_JOBS, _PODS),
    "daemonsets.apps": (_PODS,),
    "deployments.apps": (_REPLICA_SETS, _PODS),
    "jobs.batch": (_PODS,),
    "replicasets.apps": (_PODS,),
    "statefulsets.apps": (_PODS,),
}


@dataclass(frozen=True, slots=True)
class Target:
    """Which cluster to run against."""

    embedded: bool
    kubeconfig: Path | None = None
    context: str | None = None
    port: int = 0
    data: Path | None = None


class Session:
    """The project's operator against a cluster.

    Raises:
        KubewrightError: the project, a manifest or the kubeconfig cannot be used; nothing was started.
    """

    def __init__(
        self, project: Project, target: Target, *, namespace: str | None, manifests: Sequence[Path]
    ) -> None:
        self._project = project
        self._target = target
        self._documents = [document for path in manifests for document in read_documents(path)]
        self._operator = load_project(project)
        self._definitions = crds(self._operator, load_kinds(project))
        self._namespaces = watched_namespaces(namespace)
        self._config: ClientConfig | None = None
        self._applied: set[str] = set()
        self._waited_for: set[tuple[str, ObjectKey]] = set()
        self._last: dict[tuple[str, ObjectKey], ReconcileRecord] = {}
        if not target.embedded:
            from kubewright.client import load_config

            self._config = load_config(target.kubeconfig, target.context)

    async def run(self, view: View) -> None:
        """Run until cancelled, and then stop everything."""
        async with AsyncExitStack() as stack:
            client = await stack.enter_async_context(self._cluster(view))
            if self._namespaces is not None and len(self._namespaces) == 1:
                client.namespace = self._namespaces[0]
            for manifest in self._definitions:
                await install_definition(client, manifest)
                view.step(f"CRD {manifest['metadata']['name']} is established")
            stack.enter_context(logging_to(view))
            running = await stack.enter_async_context(self._operator.running(client, namespaces=self._namespaces))
            running.observe(self._reconciled(view))
            watched = [namespace for namespace in running.namespaces if namespace]
            view.step(
                f"operator {self._operator.name} runs here, watching {', '.join(watched) or 'all namespaces'}"
            )
            # Stopped before the operator, so that nothing is shown of what is no longer looked after.
            observer = Observer(client, view)
            stack.push_async_callback(observer.stop)
            running.observe(lambda _: observer.wake())
            async with asyncio.TaskGroup() as group:
                group.create_task(_check(running))
                if self._target.embedded:
                    self._watch_everything(observer)
                await self._apply(client, observer, view)
                for namespace in sorted({key.namespace for _, key in self._waited_for} - {""}):
                    if watched and namespace not in watched:
                        view.log(f"the operator does not watch the namespace {namespace}", failed=True)
                while self._documents:
                    await observer.wait(self._is_ready)
                    # The operator may know more than was seen here: look again at all of it.
                    await observer.catch_up()
                    if self._is_ready(observer.world):
                        break
                view.ready(observer.world)

    @asynccontextmanager
    async def _cluster(self, view: View) -> AsyncIterator[Client]:
        if self._config is None:
            from kubewright.cli.embedded import embedded_cluster

            path = self._target.kubeconfig or self._project.root / ".kubewright" / "kubeconfig"
            async with embedded_cluster(self._target.port, path, data=self._target.data) as embedded:
                view.step(f"embedded cluster at {embedded.url}; its Pods are simulated")
                view.fact("kubectl", f"kubectl --kubeconfig {_short(embedded.kubeconfig)} get all")
                yield embedded.cluster.client()
        else:
            from kubewright.client import connect

            async with connect(self._config, user_agent=self._operator.name) as client:
                await client.discovery.resources()
                view.step(f"cluster at {self._config.server}, from {self._config.source}")
                yield client

    async def _apply(self, client: Client, observer: Observer, view: View) -> None:
        """Apply the manifests in their order, and show what becomes of them."""
        ours = {controller.kind.api_resource.gvk for controller in self._operator.controllers}
        namespaces: set[str] = set()
        for document in self._documents:
            group, version = parse_api_version(document.object["apiVersion"])
            try:
                resource = await client.discovery.find(GroupVersionKind(group, version, document.object["kind"]))
                answer = await client.apply(document.object, field_manager=FIELD_MANAGER, force=True)
            except ApiError as error:
                raise KubewrightError(f"{document.where}: {document.title}: {error}", hint=error.hint) from error
            view.step(f"applied {document.title} from {document.where}")
            self._applied.add(answer.metadata.uid)
            if resource.gvk in ours:
                self._waited_for.add((resource.kind, answer.key))
            if not (self._target.embedded and resource.gvk in ours):
                observer.watch([resource], namespace=answer.metadata.namespace, root=self._is_applied)
                namespaces.add(answer.metadata.namespace)
        if not self._target.embedded:
            # In a cluster that others use too, only where something was applied.
            for namespace in [""] if "" in namespaces else sorted(namespaces):
                observer.watch(self._below(), namespace=namespace)

    def _watch_everything(self, observer: Observer) -> None:
        """Show every custom resource of the operator's, also those that somebody else creates."""
        kinds = {controller.kind.api_resource for controller in self._operator.controllers}
        observer.watch(kinds, root=lambda _: True)
        observer.watch(self._below())

    def _below(self) -> set[ApiResource]:
        """What may hang on a custom resource."""
        owned = {owns.kind.api_resource for controller in self._operator.controllers for owns in controller.owned()}
        return owned.union(*(_MADE_OF.get(resource.group_resource, ()) for resource in owned))

    def _reconciled(self, view: View) -> Callable[[ReconcileRecord], None]:
        def observe(record: ReconcileRecord) -> None:
            self._last[record.kind, record.key] = record
            if reconciles.is_telling(record):
                view.log(reconciles.line(record, self._project.source), failed=reconciles.failed(record))

        return observe

    def _is_applied(self, obj: RawObject) -> bool:
        return obj.metadata.uid in self._applied

    def _is_ready(self, world: World) -> bool:
        """Whether the operator says so of all that was applied, and it shows."""
        for each in self._waited_for:
            record = self._last.get(each)
            if record is None or record.outcome != "done" or record.ready is False:
                return False
        roots = [root for root in world.forest() if root.uid in self._applied]
        nodes = [node for root in roots for node in root.all()]
        return len(roots) == len(self._applied) and all(node.state.done for node in nodes)


async def _check(running: Running) -> None:
    """Raise what ends the operator, though nothing should."""
    while True:
        running.check()
        await clock.sleep(1.0)


def _short(path: Path) -> Path:
    """Relative to where the person is, if it is below."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
