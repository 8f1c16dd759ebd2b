"""The rendered RBAC is enough: an operator works with its ServiceAccount's rights alone, on a real API server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import pytest

from kubewright.client import Client, collect_warnings, connect, load_config
from kubewright.errors import AlreadyExists, Forbidden, NotFound
from kubewright.kinds import apiextensions, apps, core, rbac
from kubewright.manifests import load_manifests, render
from kubewright.objects import Condition, LabelSelector, ListMap, ObjectMeta, Resource, Spec, Status, resource
from kubewright.runtime import Context, Controller, Desired, Operator, Reads, Seen

pytestmark = pytest.mark.real
NAMESPACE = "kubewright-rights"
GROUP = "rights.kubewright.dev"


class NoteSpec(Spec):
    text: str = ""
    copies: int = 1


class NoteStatus(Status):
    seen: str = ""
    conditions: Annotated[list[Condition], ListMap("type")] = []


@resource(group=GROUP, version="v1")
class Note(Resource[NoteSpec, NoteStatus]):
    """A text, and copies of it."""


class NoteController(Controller[Note]):
    owns = (core.ConfigMap,)
    reads = (Reads(core.Secret, names=("shared",)),)

    def desired(self, note: Note, seen: Seen, /) -> Desired[NoteStatus]:
        secret = seen.get(core.Secret, "shared", NAMESPACE)
        copies = [
            core.ConfigMap(
                metadata=ObjectMeta(name=f"{note.metadata.name}-{number}"), data={"text": note.spec.text}
            )
            for number in range(note.spec.copies)
        ]
        return Desired(children=copies, status=NoteStatus(seen="yes" if secret else "no"))

    async def finalize(self, note: Note, ctx: Context, /) -> None:
        pass


def operator() -> Operator:
    return Operator("rights", controllers=[NoteController()])


async def established(client: Client) -> None:
    name = f"notes.{GROUP}"
    watch = client.watch(
        apiextensions.CustomResourceDefinition, field_selector=f"metadata.name={name}", send_initial_events=True
    )
    async with asyncio.timeout(30), watch:
        async for event in watch:
            conditions = (event.object.status.conditions if event.object.status else None) or ()
            if any(condition.type == "Established" and condition.status == "True" for condition in conditions):
                return


async def gone(client: Client) -> None:
    """No CRD of an earlier run is there, or on its way out."""
    name = f"notes.{GROUP}"
    chosen = f"metadata.name={name}"
    listed = await client.list(apiextensions.CustomResourceDefinition, field_selector=chosen)
    if not listed.items:
        return
    watch = client.watch(
        apiextensions.CustomResourceDefinition, field_selector=chosen, resource_version=listed.resource_version
    )
    async with asyncio.timeout(90), watch:
        await client.delete(apiextensions.CustomResourceDefinition, name)
        async for event in watch:
            if event.type == "DELETED":
                return


@pytest.fixture
async def cluster_admin(real_kubeconfig: Path) -> AsyncIterator[Client]:
    client = connect(load_config(str(real_kubeconfig)))
    with suppress(AlreadyExists):
        await client.create(core.Namespace(metadata=ObjectMeta(name=NAMESPACE)))
    strict = {"metadata": {"labels": {"pod-security.kubernetes.io/warn": "restricted"}}}
    await client.patch(core.Namespace, NAMESPACE, strict, "merge")
    yield client
    await client.close()


@pytest.fixture
async def admin(cluster_admin: Client) -> AsyncIterator[Client]:
    """Everything of ``deploy/`` is applied, as an administrator does it."""
    client = cluster_admin
    await gone(client)
    for name, text in render(operator()).items():
        for manifest in load_manifests(text) if not name.endswith("_cr.yaml") else ():
            if manifest["kind"] != "CustomResourceDefinition":
                manifest["metadata"]["namespace"] = NAMESPACE
            await client.apply(manifest, field_manager="tests", force=True)
    await established(client)
    yield client
    for kind in (core.ConfigMap, core.ServiceAccount, rbac.Role, rbac.RoleBinding, apps.Deployment):
        await client.delete_collection(kind, namespace=NAMESPACE)
    await client.delete(apiextensions.CustomResourceDefinition, f"notes.{GROUP}")


@pytest.fixture
async def account(admin: Client, real_kubeconfig: Path) -> AsyncIterator[Client]:
    """Who the operator is in the cluster."""
    config = load_config(str(real_kubeconfig))
    client = connect(replace(config, headers=(("impersonate-user", f"system:serviceaccount:{NAMESPACE}:rights"),)))
    yield client
    await client.close()


async def test_pod_security_has_nothing_against_the_rendered_deployment(cluster_admin: Client) -> None:
    container = core.Container(name="bare", image="bare")
    bare = apps.Deployment(
        metadata=ObjectMeta(name="bare", namespace=NAMESPACE),
        spec=apps.DeploymentSpec(
            selector=LabelSelector(match_labels={"a": "b"}),
            template=core.PodTemplateSpec(
                metadata=ObjectMeta(labels={"a": "b"}), spec=core.PodSpec(containers=[container])
            ),
        ),
    )
    (rendered,) = load_manifests(render(operator())["operator.yaml"])
    rendered["metadata"]["namespace"] = NAMESPACE
    with collect_warnings() as of_ours:
        await cluster_admin.apply(rendered, field_manager="tests", dry_run=True)
    with collect_warnings() as of_a_bare_one:
        await cluster_admin.create(bare, dry_run=True)
    assert of_ours == []
    assert 'would violate PodSecurity "restricted:latest"' in of_a_bare_one[0]


async def copies(client: Client) -> dict[str, str]:
    listed = await client.list(core.ConfigMap, namespace=NAMESPACE)
    return {one.metadata.name or "": one.data["text"] for one in listed.items if one.data and "text" in one.data}


async def test_the_rendered_rights_are_enough_and_no_more(admin: Client, account: Client) -> None:
    async with operator().running(account, namespaces=[NAMESPACE]) as running:
        note = Note(metadata=ObjectMeta(name="n", namespace=NAMESPACE), spec=NoteSpec(text="a", copies=2))
        await admin.create(note)
        await running.wait_idle()
        assert await copies(admin) == {"n-0": "a", "n-1": "a"}
        live = await admin.get(Note, "n", NAMESPACE)
        assert live.status is not None
        assert live.status.seen == "no"
        assert live.metadata.finalizers

        await admin.patch(Note, "n", {"spec": {"text": "b", "copies": 1}}, "merge", NAMESPACE)
        await running.wait_idle()
        assert await copies(admin) == {"n-0": "b"}

        await admin.delete(Note, "n", NAMESPACE)
        await running.wait_idle()
        with pytest.raises(NotFound):
            await admin.get(Note, "n", NAMESPACE)

    for kind, name in ((core.Secret, "another"), (core.Service, "any"), (core.Pod, "any")):
        with pytest.raises(Forbidden):
            await account.get(kind, name, NAMESPACE)
    with pytest.raises(Forbidden):
        await account.list(core.ConfigMap, namespace="default")
