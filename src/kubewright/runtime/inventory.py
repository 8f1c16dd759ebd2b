"""Children that owner references cannot reach: cluster-scoped, or in another namespace than their owner.

A label has the owner's uid, so that they can be watched and found by it. Labels are copied along with manifests, so
the label alone proves nothing: an annotation names owner and child, and an object that is not the one it names is
somebody's copy.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from kubewright.objects import ApiResource, MetaHead, ObjectKey

LABEL: Final = "kubewright.dev/owner-uid"
ANNOTATION: Final = "kubewright.dev/owner"
"""Owner and child: ``apps.example.com default/web <uid> owns clusterroles.rbac.authorization.k8s.io web``."""


class InventoryEntry(NamedTuple):
    """Whose a child is, as label and annotation say it.

    Attributes:
        resource: of the owner, as RBAC says it.
        key: of the owner.
        uid: of the owner.
    """

    resource: str
    key: ObjectKey
    uid: str

    def annotation(self, resource: str, key: ObjectKey) -> str:
        """What the child at ``key`` is annotated with."""
        return f"{self.resource} {self.key} {self.uid} owns {resource} {key}"


def inventory_entry(resource: str, head: MetaHead) -> InventoryEntry | None:
    """Whose the object is; None where it is no such child, or the copy of one."""
    words = head.annotations.get(ANNOTATION, "").split(" ")
    if len(words) != 6 or words[3:] != ["owns", resource, str(ObjectKey(head.namespace, head.name))]:
        return None
    namespace, _, name = words[1].rpartition("/")
    return InventoryEntry(words[0], ObjectKey(namespace, name), words[2])


def reaches(owner: ObjectKey, resource: ApiResource, child: ObjectKey) -> bool:
    """Whether an owner reference can hold between the two."""
    return not owner.namespace or (resource.namespaced and child.namespace == owner.namespace)
