"""What is said of a child: complete, checked, owned, with a digest of it."""

from __future__ import annotations

import pytest

from kubewright.errors import InvalidDesired
from kubewright.kinds import core_v1 as core
from kubewright.kinds import rbac_v1 as rbac
from kubewright.objects import MetaHead, ObjectMeta
from kubewright.runtime import ANNOTATION
from kubewright.runtime.configuration import Configuration, Mark, OwnerOf, read_mark
from kubewright.runtime.desired import Child
from kubewright.runtime.inventory import LABEL

OWNER = OwnerOf(core.ConfigMap, MetaHead(name="owner", namespace="default", uid="u1"))


def configuration(obj: core.ConfigMap | core.Secret | rbac.ClusterRole) -> Configuration:
    return Configuration(Child(obj), OWNER)


def config_map(**data: str) -> core.ConfigMap:
    return core.ConfigMap(metadata=ObjectMeta(name="a"), data=data)


def test_namespace_and_owner_are_added_and_the_given_object_is_left_alone() -> None:
    given = config_map(a="1")
    made = configuration(given).tree
    assert made["metadata"]["namespace"] == "default"
    assert made["metadata"]["ownerReferences"] == [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "name": "owner",
            "uid": "u1",
            "controller": True,
            "blockOwnerDeletion": True,
        }
    ]
    assert given.metadata == ObjectMeta(name="a")


@pytest.mark.parametrize(
    ("metadata", "field"),
    [
        (ObjectMeta(name="a", uid="x"), "uid"),
        (ObjectMeta(name="a", resource_version="1"), "resource_version"),
        (ObjectMeta(name="a", managed_fields=[]), "managed_fields"),
    ],
)
def test_an_edited_live_object_is_refused(metadata: ObjectMeta, field: str) -> None:
    with pytest.raises(InvalidDesired, match=f"ConfigMap default/a carries metadata.{field}"):
        configuration(core.ConfigMap(metadata=metadata))


def test_where_references_do_not_reach_a_label_does() -> None:
    near = configuration(core.ConfigMap(metadata=ObjectMeta(name="a")))
    assert "labels" not in near.tree["metadata"]
    for child in (
        core.ConfigMap(metadata=ObjectMeta(name="a", namespace="other")),
        rbac.ClusterRole(metadata=ObjectMeta(name="a")),
    ):
        far = configuration(child)
        assert "ownerReferences" not in far.tree["metadata"]
        assert far.tree["metadata"]["labels"] == {LABEL: near.tree["metadata"]["ownerReferences"][0]["uid"]}


def test_a_child_without_a_name_is_refused() -> None:
    with pytest.raises(InvalidDesired, match="has no name"):
        configuration(core.ConfigMap())


def mark_of(given: Configuration, verb: str = "apply", mark: Mark = Mark()) -> Mark:  # noqa: B008 - immutable
    return read_mark(given.body(verb, mark)["metadata"]["annotations"])


def test_the_digest_is_of_what_is_said_whatever_its_order() -> None:
    one, other = configuration(config_map(a="1", b="2")), configuration(config_map(b="2", a="1"))
    assert mark_of(one) == mark_of(other)
    assert one.holds(mark_of(other))
    assert not one.holds(mark_of(configuration(config_map(a="1"))))


def test_the_mark_says_algorithm_and_verb() -> None:
    mark = mark_of(configuration(config_map(a="1")), "create")
    assert (mark.algorithm, mark.salt, mark.verb) == ("sha256", "", "create")


def test_another_algorithm_is_believed_and_no_mark_is_not() -> None:
    given = configuration(config_map(a="1"))
    assert given.holds(read_mark({ANNOTATION: "blake9:whatever:apply"}))
    assert not given.holds(read_mark({}))


def test_secret_values_are_never_digested_unsalted() -> None:
    def secret() -> Configuration:
        return configuration(core.Secret(metadata=ObjectMeta(name="a"), string_data={"password": "hunter2"}))

    first, second = mark_of(secret()), mark_of(secret())
    assert first.salt
    assert first.salt != second.salt
    assert first.digest != second.digest
    assert secret().holds(first)
    assert mark_of(secret(), mark=first) == first, "the salt stays, or every apply would differ"
