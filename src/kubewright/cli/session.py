"""One run of ``kubewright up``, from the CRDs to Ctrl-C."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kubewright.cli.install import FIELD_MANAGER, definitions, install_definition
from kubewright.cli.observe import Observer
from kubewright.cli.project import load_kinds, load_project
from kubewright.cli.run import watched_namespaces
from kubewright.errors import ApiError, KubewrightError
from kubewright.manifests import read_documents
from kubewright.objects import ApiResource, GroupVersionKind, RawObject, parse_api_version

if TYPE_CHECKING:
    from kubewright.cli.view import View
    from kubewright.cli.world import World
    from kubewright.client import Client, ClientConfig
    from kubewright.scaffold import Project

# What built-in controllers make of the kinds that operators own.
_MADE_BY_CONTROLLERS = (
    ApiResource(group="apps", version="v1", kind="ReplicaSet", plural="replicasets"),
    ApiResource(group="batch", version="v1", kind="Job", plural="jobs"),
    ApiResource(group="", version="v1", kind="Pod", plural="pods"),
)


@dataclass(frozen=True, slots=True)
class Target:
    """Which cluster to run against."""

    embedded: bool
    kubeconfig: Path | None = None
    context: str | None = None
    port: int = 0


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
        controlled = [controller.kind for controller in self._operator.controllers]
        self._definitions = definitions(dict.fromkeys([*load_kinds(project), *controlled]))
        self._namespaces = watched_namespaces(namespace)
        self._config: ClientConfig | None = None
        self._applied: set[str] = set()
        if not target.embedded:
            from kubewright.client import load_config

            self._config = load_config(target.kubeconfig, target.context)

    async def run(self, view: View) -> None:
        """Run until cancelled, and then stop everything."""
        async with AsyncExitStack() as stack:
            client = await stack.enter_async_context(self._cluster(view))
            for manifest in self._definitions:
                await install_definition(client, manifest)
                view.step(f"CRD {manifest['metadata']['name']} is established")
            stack.enter_context(_logging_to(view))
            running = await stack.enter_async_context(self._operator.running(client, namespaces=self._namespaces))
            where = ", ".join(running.namespaces) or "all namespaces"
            view.step(f"operator {self._operator.name} runs here, watching {where}")
            if self._documents:
                observer = Observer(client, view)
                stack.push_async_callback(observer.stop)
                await self._apply(client, observer, view)
                await observer.wait(self._is_ready)
                view.ready(observer.world)
            await running.wait()

    @asynccontextmanager
    async def _cluster(self, view: View) -> AsyncIterator[Client]:
        if self._config is None:
            from kubewright.cli.embedded import embedded_cluster

            path = self._target.kubeconfig or self._project.root / ".kubewright" / "kubeconfig"
            async with embedded_cluster(self._target.port, path) as embedded:
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
        owned = {kind.api_resource for controller in self._operator.controllers for kind in controller.owns}
        namespaces: set[str] = set()
        for document in self._documents:
            group, version = parse_api_version(document.object["apiVersion"])
            try:
                resource = await client.discovery.find(GroupVersionKind(group, version, document.object["kind"]))
                answer = await client.apply(document.object, field_manager=FIELD_MANAGER, force=True)
            except ApiError as error:
                raise KubewrightError(f"{document.where}: {document.title}: {error}", hint=error.hint) from error
            self._applied.add(answer.metadata.uid)
            namespaces.add(answer.metadata.namespace)
            observer.watch([resource], namespace=answer.metadata.namespace, root=self._is_applied)
            view.step(f"applied {document.title} from {document.where}")
        for namespace in sorted(namespaces):
            observer.watch({*owned, *_MADE_BY_CONTROLLERS}, namespace=namespace)

    def _is_applied(self, obj: RawObject) -> bool:
        return obj.metadata.uid in self._applied

    def _is_ready(self, world: World) -> bool:
        forest = world.forest()
        return len(forest) == len(self._applied) and all(node.state.done for root in forest for node in root.all())


@contextmanager
def _logging_to(view: View) -> Iterator[None]:
    """Show what the operator logs."""
    logger, handler = logging.getLogger("kubewright"), _ViewHandler(view)
    level, propagate = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = propagate


class _ViewHandler(logging.Handler):
    def __init__(self, view: View) -> None:
        super().__init__(logging.INFO)
        self._view = view

    def emit(self, record: logging.LogRecord) -> None:
        """Show the line."""
        self._view.log(record.getMessage(), failed=record.levelno >= logging.WARNING)


def _short(path: Path) -> Path:
    """Relative to where the person is, if it is below."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
