"""The observer against the embedded cluster, in this process."""

from __future__ import annotations

import asyncio

from kubewright.cli.observe import Observer
from kubewright.cli.view import View
from kubewright.cli.world import Change, World
from kubewright.cluster import Cluster
from kubewright.kinds import apps, core
from kubewright.objects import LabelSelector, ObjectMeta


class Told(View):
    """Remembers what it was told."""

    def __init__(self) -> None:
        super().__init__(0.0)
        self.changes: list[Change] = []

    def changed(self, change: Change, world: World) -> None:
        self.changes.append(change)

    def step(self, words: str) -> None: ...
    def log(self, words: str, *, failed: bool = False) -> None: ...
    def ready(self, world: World) -> None: ...
    def fact(self, name: str, value: str) -> None: ...


def web() -> apps.Deployment:
    labels = {"app": "web"}
    return apps.Deployment(
        metadata=ObjectMeta(name="web"),
        spec=apps.DeploymentSpec(
            replicas=1,
            selector=LabelSelector(match_labels=labels),
            template=core.PodTemplateSpec(
                metadata=ObjectMeta(labels=labels),
                spec=core.PodSpec(containers=[core.Container(name="c", image="nginx")]),
            ),
        ),
    )


async def test_what_hangs_on_a_root_is_told_from_its_birth_to_its_end(cluster: Cluster) -> None:
    client, view = cluster.client(), Told()
    await client.create(core.ConfigMap(metadata=ObjectMeta(name="stranger")))
    observer = Observer(client, view)
    try:
        observer.watch([core.Pod.api_resource, apps.ReplicaSet.api_resource, core.ConfigMap.api_resource])
        made = await client.create(web())
        observer.watch([apps.Deployment.api_resource], root=lambda raw: raw.metadata.uid == made.metadata.uid)

        def all_ready(world: World) -> bool:
            nodes = [node for root in world.forest() for node in root.all()]
            return len(nodes) == 3 and all(node.state.done for node in nodes)

        async with asyncio.timeout(20):
            await observer.wait(all_ready)
            await client.delete(apps.Deployment, "web", propagation_policy="Background")
            await observer.wait(lambda _: sum(change.words == "deleted" for change in view.changes) == 3)
    finally:
        await observer.stop()
    titles = {change.title.partition("-")[0] for change in view.changes}
    assert titles == {"deployment.apps/web", "replicaset.apps/web", "pod/web"}
