"""Cluster roles made of others, and rights that change with what they are made of."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kubewright.server import InMemoryTransport, Server, UserInfo
from kubewright.wire import Request

RBAC = "/apis/rbac.authorization.k8s.io/v1"
MARA = UserInfo("mara", groups=("system:authenticated",))
THINGS = {"apiGroups": ["example.com"], "resources": ["things"], "verbs": ["get"]}


@pytest.fixture
def server() -> Server:
    return Server()


async def send(server: Server, method: str, path: str, body: Any = None, user: UserInfo | None = None) -> Any:
    transport = InMemoryTransport(server, user) if user else InMemoryTransport(server)
    kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
    sent = b"" if body is None else json.dumps(body).encode()
    response = await transport.send(Request(method, path, (), {"content-type": kind}, sent))
    return json.loads(await response.read())


async def rules_of(server: Server, name: str) -> list[Any]:
    found: list[Any] = (await send(server, "GET", f"{RBAC}/clusterroles/{name}"))["rules"]
    return found


async def may(server: Server, verb: str) -> bool:
    spec = {"namespace": "default", "verb": verb, "group": "example.com", "resource": "things"}
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    review = await send(server, "POST", path, {"spec": {"resourceAttributes": spec}}, MARA)
    allowed: bool = review["status"]["allowed"]
    return allowed


async def test_usual_roles_are_gathered_from_the_start(server: Server) -> None:
    view, edit, admin = [await rules_of(server, name) for name in ("view", "edit", "admin")]
    assert 0 < len(view) < len(edit) < len(admin)


async def test_a_role_with_the_label_counts_in_all_that_gather_it(server: Server) -> None:
    binding = {
        "metadata": {"name": "mara"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "edit"},
        "subjects": [{"kind": "User", "name": "mara", "apiGroup": "rbac.authorization.k8s.io"}],
    }
    await send(server, "POST", f"{RBAC}/namespaces/default/rolebindings", binding)
    assert not await may(server, "get")
    labels = {"rbac.authorization.k8s.io/aggregate-to-view": "true"}
    role = {"metadata": {"name": "things", "labels": labels}, "rules": [THINGS]}
    await send(server, "POST", f"{RBAC}/clusterroles", role)
    for name in ("view", "edit", "admin"):
        assert THINGS in await rules_of(server, name)
    assert await may(server, "get")
    await send(server, "PATCH", f"{RBAC}/clusterroles/things", {"rules": [{**THINGS, "verbs": ["list"]}]})
    assert not await may(server, "get")
    assert await may(server, "list")
    await send(server, "DELETE", f"{RBAC}/clusterroles/things")
    assert not await may(server, "list")
    found = await send(server, "GET", f"{RBAC}/clusterroles/view")
    managers = {entry["manager"]: entry["operation"] for entry in found["metadata"]["managedFields"]}
    assert managers == {"clusterrole-aggregation-controller": "Apply", "kube-apiserver": "Update"}


async def test_what_others_write_into_a_gathered_role_does_not_stay(server: Server) -> None:
    before = await rules_of(server, "view")
    await send(server, "PATCH", f"{RBAC}/clusterroles/view", {"rules": []})
    assert await rules_of(server, "view") == before


async def test_rules_written_by_hand_stay_while_there_is_nothing_to_gather(server: Server) -> None:
    """As the real controller leaves it: its apply of no rules owns none."""
    selector = {"clusterRoleSelectors": [{"matchLabels": {"gather": "me"}}]}
    by_hand = {**THINGS, "verbs": ["list"]}
    role = {"metadata": {"name": "all"}, "aggregationRule": selector, "rules": [by_hand]}
    await send(server, "POST", f"{RBAC}/clusterroles", role)
    assert await rules_of(server, "all") == [by_hand]
    part = {"metadata": {"name": "part", "labels": {"gather": "me"}}, "rules": [THINGS]}
    await send(server, "POST", f"{RBAC}/clusterroles", part)
    assert await rules_of(server, "all") == [THINGS]
    await send(server, "DELETE", f"{RBAC}/clusterroles/part")
    assert (await send(server, "GET", f"{RBAC}/clusterroles/all"))["rules"] is None
