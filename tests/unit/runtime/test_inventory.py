"""Children that owner references cannot reach, against the embedded server and the real one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from kubewright.errors import InvalidDesired, NotFound, NotIdle, NotOurs
from kubewright.kinds import core_v1 as core
from kubewright.kinds import rbac_v1 as rbac
from kubewright.objects import MetaHead, Object, ObjectKey, ObjectMeta, Resource, Spec, Status, resource
from kubewright.runtime import Controller, Desired, Owns, Seen, child
from kubewright.runtime.inventory import ANNOTATION, LABEL, InventoryEntry, inventory_entry, reaches


class TenantSpec(Spec):
    """What a tenant may see, and whom it greets."""

    resources: list[str] = []
    greets: dict[str, str] = {}
    adopt: bool = False


class TenantStatus(Status):
    """What was seen."""

    roles: int = 0


@resource(group="inventory.kubewright.test", version="v1")
class Tenant(Resource[TenantSpec, TenantStatus]):
    """A tenant, with a role in all of the cluster and greetings in other namespaces."""


class Tenants(Controller[Tenant]):
    """One ClusterRole, and one ConfigMap in each namespace greeted."""

    owns = (rbac.ClusterRole, Owns(core.ConfigMap, namespaces=("kube-public", "kube-system")))

    def desired(self, obj: Tenant, seen: Seen, /) -> Desired[TenantStatus]:
        name = f"{obj.metadata.namespace}-{obj.metadata.name}"
        children: list[Any] = [
            core.ConfigMap(metadata=ObjectMeta(name=name, namespace=namespace), data={"text": text})
            for namespace, text in obj.spec.greets.items()
        ]
        if obj.spec.resources:
            rule = rbac.PolicyRule(api_groups=[""], resources=obj.spec.resources, verbs=["get"])
            role = rbac.ClusterRole(metadata=ObjectMeta(name=name), rules=[rule])
            children.append(child(role, adopt=obj.spec.adopt))
        return Desired(children=children, status=TenantStatus(roles=len(seen.owned(rbac.ClusterRole))))


class Tenancy:
    """The server with a tenant on it, and short ways to ask it."""

    def __init__(self, api: Any) -> None:
        self.api = api
        self.client = api.client
        self.name = f"{api.namespace}-t"

    async def create(self, **spec: Any) -> None:
        await self.client.create(
            Tenant(metadata=ObjectMeta(name="t", namespace=self.api.namespace), spec=TenantSpec(**spec))
        )

    async def set(self, **spec: Any) -> None:
        await self.client.patch(Tenant, "t", {"spec": spec}, "merge", self.api.namespace)

    async def tenant(self) -> Tenant | None:
        return await self.find(Tenant, "t", self.api.namespace)

    async def role(self) -> rbac.ClusterRole | None:
        return await self.find(rbac.ClusterRole, self.name)

    async def greeting(self, namespace: str = "kube-public") -> core.ConfigMap | None:
        return await self.find(core.ConfigMap, self.name, namespace)

    async def find(self, kind: type[Any], name: str, namespace: str | None = None) -> Any:
        try:
            return await self.client.get(kind, name, namespace)
        except NotFound:
            return None


@pytest.fixture
async def tenancy(api: Any) -> AsyncIterator[Tenancy]:
    await api.install(Tenant)
    for name in ("kube-public", "kube-system"):
        try:
            await api.client.get(core.Namespace, name)
        except NotFound:
            await api.client.create(core.Namespace(metadata=ObjectMeta(name=name)))
    tenancy = Tenancy(api)
    yield tenancy
    for kind, namespace in (
        (rbac.ClusterRole, None),
        (core.ConfigMap, "kube-public"),
        (core.ConfigMap, "kube-system"),
    ):
        for found in (await api.client.list(kind, namespace=namespace)).items:
            if (found.metadata.name or "").startswith(tenancy.name):
                await api.client.delete(kind, found.metadata.name, namespace)


async def test_they_are_made_corrected_pruned_and_deleted_with_their_owner(tenancy: Tenancy) -> None:
    async with tenancy.api.operating(Tenants()) as running:
        await tenancy.create(resources=["pods"], greets={"kube-public": "hello", "kube-system": "moin"})
        await running.wait_idle()
        role, tenant = await tenancy.role(), await tenancy.tenant()
        assert role is not None
        assert tenant is not None
        assert not role.metadata.owner_references
        assert (role.metadata.labels or {})[LABEL] == tenant.metadata.uid
        assert tenant.status is not None
        assert tenant.status.roles == 1
        assert (await tenancy.greeting("kube-system")).data == {"text": "moin"}  # type: ignore[union-attr]

        drift = {"rules": [], "metadata": {"labels": {LABEL: None}}}
        await tenancy.client.patch(rbac.ClusterRole, tenancy.name, drift, "merge")
        await tenancy.client.delete(core.ConfigMap, tenancy.name, "kube-public")
        await running.wait_idle()
        role = await tenancy.role()
        assert role is not None
        assert role.rules is not None
        assert role.rules[0].resources == ["pods"]
        assert LABEL in (role.metadata.labels or {})
        assert await tenancy.greeting() is not None

        await tenancy.set(greets={"kube-system": None})
        await running.wait_idle()
        assert await tenancy.greeting("kube-system") is None
        assert await tenancy.greeting() is not None

        await tenancy.client.delete(Tenant, "t", tenancy.api.namespace)
        await running.wait_idle()
        assert [await tenancy.role(), await tenancy.greeting(), await tenancy.tenant()] == [None, None, None]


async def test_a_restart_writes_nothing_and_deletes_what_went_meanwhile(tenancy: Tenancy) -> None:
    async with tenancy.api.operating(Tenants()) as running:
        await tenancy.create(resources=["pods"])
        await running.wait_idle()
    tenancy.api.writes()
    async with tenancy.api.operating(Tenants()):
        assert tenancy.api.writes() == []
    await tenancy.client.delete(Tenant, "t", tenancy.api.namespace)
    assert await tenancy.tenant() is not None
    async with tenancy.api.operating(Tenants()):
        assert [await tenancy.role(), await tenancy.tenant()] == [None, None]


async def test_a_copy_with_all_labels_and_annotations_is_nobodys_child(tenancy: Tenancy) -> None:
    async with tenancy.api.operating(Tenants()) as running:
        await tenancy.create(resources=["pods"])
        await running.wait_idle()
        role = await tenancy.role()
        assert role is not None
        meta = ObjectMeta(
            name=f"{tenancy.name}-copy", labels=role.metadata.labels, annotations=role.metadata.annotations
        )
        await tenancy.client.create(rbac.ClusterRole(metadata=meta, rules=[]))
        await tenancy.set(resources=["secrets"])
        await running.wait_idle()
        await tenancy.client.delete(Tenant, "t", tenancy.api.namespace)
        await running.wait_idle()
        assert await tenancy.role() is None
        assert await tenancy.find(rbac.ClusterRole, f"{tenancy.name}-copy") is not None


async def test_the_owner_stays_until_they_are_gone(tenancy: Tenancy) -> None:
    async with tenancy.api.operating(Tenants()) as running:
        await tenancy.create(resources=["pods"])
        await running.wait_idle()
        held = {"metadata": {"finalizers": ["inventory.kubewright.test/held"]}}
        await tenancy.client.patch(rbac.ClusterRole, tenancy.name, held, "merge")
        await tenancy.client.delete(Tenant, "t", tenancy.api.namespace)
        await running.wait_idle()
        assert await tenancy.tenant() is not None
        assert tenancy.name in tenancy.api.records[-1].message
        await tenancy.client.patch(rbac.ClusterRole, tenancy.name, {"metadata": {"finalizers": None}}, "merge")
        await running.wait_idle()
        assert [await tenancy.role(), await tenancy.tenant()] == [None, None]


async def test_a_stranger_is_not_taken_over_unless_asked(tenancy: Tenancy) -> None:
    await tenancy.client.create(rbac.ClusterRole(metadata=ObjectMeta(name=tenancy.name), rules=[]))
    async with tenancy.api.operating(Tenants()) as running:
        await tenancy.create(resources=["pods"])
        with pytest.raises(NotIdle):
            await running.wait_idle(0.3)
        assert any(isinstance(record.error, NotOurs) for record in tenancy.api.records)
        await tenancy.set(adopt=True)
        await running.wait_idle()
        role = await tenancy.role()
        assert role is not None
        assert role.rules is not None
        assert role.rules[0].resources == ["pods"]


async def test_another_owners_child_is_not_adopted(tenancy: Tenancy) -> None:
    entry = InventoryEntry("tenants.inventory.kubewright.test", ObjectKey("elsewhere", "t"), "another-uid")
    resource_name = rbac.ClusterRole.api_resource.group_resource
    annotations = {ANNOTATION: entry.annotation(resource_name, ObjectKey("", tenancy.name))}
    meta = ObjectMeta(name=tenancy.name, labels={LABEL: "another-uid"}, annotations=annotations)
    await tenancy.client.create(rbac.ClusterRole(metadata=meta, rules=[]))
    async with tenancy.api.operating(Tenants()) as running:
        await tenancy.create(resources=["pods"], adopt=True)
        with pytest.raises(NotIdle, match="elsewhere/t"):
            await running.wait_idle(0.3)
    found = await tenancy.role()
    assert found is not None
    assert not found.rules


async def test_an_undeclared_namespace_is_refused_with_what_to_write(tenancy: Tenancy) -> None:
    async with tenancy.api.operating(Tenants()) as running:
        await tenancy.create(greets={"default": "hello"})
        with pytest.raises(NotIdle):
            await running.wait_idle(0.3)
    error = tenancy.api.records[-1].error
    assert isinstance(error, InvalidDesired)
    assert "Owns(ConfigMap, namespaces=" in error.hint


def test_the_entry_names_owner_and_child() -> None:
    entry = InventoryEntry("tenants.example.com", ObjectKey("a", "t"), "u")
    annotations = {ANNOTATION: entry.annotation("configmaps", ObjectKey("b", "c"))}
    assert inventory_entry("configmaps", MetaHead(name="c", namespace="b", annotations=annotations)) == entry
    assert inventory_entry("configmaps", MetaHead(name="d", namespace="b", annotations=annotations)) is None
    assert inventory_entry("secrets", MetaHead(name="c", namespace="b", annotations=annotations)) is None
    assert inventory_entry("configmaps", MetaHead(name="c", namespace="b")) is None


def test_where_references_reach() -> None:
    def reached(owner: str, kind: type[Object], namespace: str) -> bool:
        return reaches(ObjectKey(owner, "t"), kind.api_resource, ObjectKey(namespace, "c"))

    assert reached("a", core.ConfigMap, "a")
    assert not reached("a", core.ConfigMap, "b")
    assert not reached("a", rbac.ClusterRole, "")
    assert reached("", core.ConfigMap, "b")
    assert reached("", rbac.ClusterRole, "")
