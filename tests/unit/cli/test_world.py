from __future__ import annotations

from typing import Any

from kubewright.cli.world import Change, World


def made(kind: str, name: str, *owners: str, **fields: Any) -> dict[str, Any]:
    references = [{"uid": owner} for owner in owners]
    return {"kind": kind, "metadata": {"name": name, "uid": name, "ownerReferences": references}, **fields}


def test_a_forest_grows_whatever_the_order_of_events() -> None:
    world = World()
    world.put(made("Pod", "pod", "set"), "pod")
    world.put(made("ReplicaSet", "set", "web"), "replicaset.apps")
    world.put(made("ConfigMap", "stranger"), "configmap")
    assert world.forest() == []

    world.put(made("Web", "web"), "web.example.com", root=True)

    (root,) = world.forest()
    assert [node.title for node in root.all()] == ["web.example.com/web", "replicaset.apps/set", "pod/pod"]


def test_only_what_a_person_would_be_told_is_a_change() -> None:
    world = World()
    assert world.put(made("ConfigMap", "a"), "configmap") == Change("configmap/a", "created, there", True)
    assert world.put(made("ConfigMap", "a", data={"x": "y"}), "configmap") is None
    assert world.remove("a") == Change("configmap/a", "deleted", True)
    assert world.remove("a") is None
    assert world.forest() == []


def test_owners_in_a_circle_end() -> None:
    world = World()
    world.put(made("ConfigMap", "a", "b"), "configmap", root=True)
    world.put(made("ConfigMap", "b", "a"), "configmap")
    (root,) = world.forest()
    assert [node.title for node in root.all()] == ["configmap/a", "configmap/b"]
