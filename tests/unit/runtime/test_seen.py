"""Reading the world in a test, without any server."""

from __future__ import annotations

import pytest

from kubewright.errors import UsageError, Waiting
from kubewright.kinds import core_v1 as core
from kubewright.objects import LabelSelector, ObjectMeta, OwnerReference
from kubewright.runtime import ALL_NAMESPACES, Seen
from kubewright.runtime.dependencies import Dependency, Got
from kubewright.runtime.seen import AnySelector


def config_map(name: str, namespace: str | None = "default", **labels: str) -> core.ConfigMap:
    return core.ConfigMap(metadata=ObjectMeta(name=name, namespace=namespace, labels=labels))


SEEN = Seen.of(config_map("a", app="x"), config_map("b", app="y"), config_map("c", "other", app="x"))


def test_get_is_by_name_or_by_an_object_that_has_it() -> None:
    found = SEEN.get(core.ConfigMap, "a")
    assert found is not None
    assert found.metadata.labels == {"app": "x"}
    assert SEEN.get(config_map("a")) == found
    assert SEEN.get(core.ConfigMap, "c") is None
    assert SEEN.get(core.ConfigMap, "c", "other") is not None
    assert SEEN.get(core.Secret, "a") is None


def test_what_is_read_is_anew_each_time() -> None:
    first = SEEN.require(core.ConfigMap, "a")
    first.metadata.labels = {"app": "changed"}
    assert SEEN.require(core.ConfigMap, "a").metadata.labels == {"app": "x"}


@pytest.mark.parametrize("selector", ["app=x", {"app": "x"}, LabelSelector(match_labels={"app": "x"})])
def test_list_takes_selectors_in_any_form(selector: AnySelector) -> None:
    assert [found.metadata.name for found in SEEN.list(core.ConfigMap, selector)] == ["a"]
    everywhere = SEEN.list(core.ConfigMap, selector, ALL_NAMESPACES)
    assert [found.metadata.name for found in everywhere] == ["a", "c"]


def test_require_says_what_is_missing() -> None:
    with pytest.raises(Waiting, match="Secret default/token is not there yet"):
        SEEN.require(core.Secret, "token")


def test_owned_is_by_controller_reference() -> None:
    def reference(uid: str, *, controller: bool) -> OwnerReference:
        return OwnerReference(api_version="v1", kind="Owner", name="o", uid=uid, controller=controller)

    mine, theirs, shared = config_map("mine"), config_map("theirs"), config_map("shared")
    mine.metadata.owner_references = [reference("u1", controller=True)]
    theirs.metadata.owner_references = [reference("u2", controller=True)]
    shared.metadata.owner_references = [reference("u1", controller=False)]
    seen = Seen.of(mine, theirs, shared, uid="u1")
    assert [found.metadata.name for found in seen.owned(core.ConfigMap)] == ["mine"]


def test_a_cluster_scoped_reader_must_say_the_namespace() -> None:
    seen = Seen.of(config_map("a"), namespace="")
    with pytest.raises(UsageError, match="reading ConfigMap needs a namespace"):
        seen.get(core.ConfigMap, "a")
    assert seen.get(core.ConfigMap, "a", "default") is not None


def test_every_read_is_recorded_also_one_that_fails() -> None:
    read: list[Dependency] = []
    seen = Seen(SEEN._reader, namespace="default", read=read.append)
    with pytest.raises(Waiting):
        seen.require(core.Secret, "token")
    assert read == [Got("secrets", ("default", "token"))]  # type: ignore[arg-type]
