"""The permissions an operator needs, and no others: derived from what its controllers say they own and read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from kubewright.objects import ApiResource, JsonObject
from kubewright.runtime import Controller, Operator, Reads

API: Final = "rbac.authorization.k8s.io"
REPLACE_NAMESPACE: Final = "REPLACE_NAMESPACE"
"""Stands where Kubernetes wants the namespace of the installation and none was given."""

_VERBS = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection")
_READ = ("get", "list", "watch")
_OWN = (*_READ, "create", "patch", "delete")
_PRUNE = (*_READ, "delete")

# Where a rule applies: the namespace of the installation, all of the cluster, or a namespace by name.
HERE: Final = ""
EVERYWHERE: Final = "*"


class _Target(NamedTuple):
    where: str
    group: str
    resource: str
    names: tuple[str, ...] = ()


@dataclass
class _Needs:
    verbs: dict[_Target, set[str]] = field(default_factory=dict)
    urls: dict[tuple[str, ...], set[str]] = field(default_factory=dict)

    def add(
        self, places: Iterable[str], group: str, resource: str, verbs: Iterable[str], names: Iterable[str] = ()
    ) -> None:
        wanted = tuple(verbs)
        for where in places:
            target = _Target(where, group, resource, tuple(sorted(names)))
            self.verbs.setdefault(target, set()).update(wanted)

    def places(self) -> list[str]:
        used = {target.where for target in self.verbs} | ({EVERYWHERE} if self.urls else set())
        return sorted(used, key=lambda where: (where != HERE, where != EVERYWHERE, where))

    def rules(self, where: str) -> list[JsonObject]:
        """The rules of one place; resources that need the same stand together."""
        together: dict[tuple[str, tuple[str, ...], tuple[str, ...]], list[str]] = {}
        for target, wanted in self.verbs.items():
            if target.where == where:
                key = (target.group, target.names, _ordered(wanted))
                together.setdefault(key, []).append(target.resource)
        made: list[JsonObject] = []
        for (group, names, verbs), resources in together.items():
            rule: JsonObject = {"apiGroups": [group], "resources": sorted(resources)}
            if names:
                rule["resourceNames"] = list(names)
            made.append({**rule, "verbs": list(verbs)})
        if where == EVERYWHERE:
            made += [
                {"nonResourceURLs": list(urls), "verbs": list(_ordered(wanted))}
                for urls, wanted in self.urls.items()
            ]
        return made


def _ordered(verbs: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(verbs, key=lambda verb: (_VERBS.index(verb) if verb in _VERBS else len(_VERBS), verb)))


def roles(operator: Operator, *, all_namespaces: bool = False) -> list[JsonObject]:
    """The Role of the operator's namespace, a ClusterRole if it needs one, and Roles of other namespaces it reads.

    An operator works in the namespaces it names, or else in its own, unless ``all_namespaces`` or its custom
    resources have none.
    """
    needs = _needs(operator, all_namespaces=all_namespaces)
    made: list[JsonObject] = []
    for where in needs.places():
        metadata: JsonObject = {"name": operator.name}
        if where not in (HERE, EVERYWHERE):
            metadata["namespace"] = where
        made.append(
            {
                "apiVersion": f"{API}/v1",
                "kind": "ClusterRole" if where == EVERYWHERE else "Role",
                "metadata": metadata,
                "rules": needs.rules(where),
            }
        )
    return made


def role_bindings(operator: Operator, *, namespace: str = "", all_namespaces: bool = False) -> list[JsonObject]:
    """What gives each of :func:`roles` to the operator's ServiceAccount, which is in ``namespace``."""
    made: list[JsonObject] = []
    for role in roles(operator, all_namespaces=all_namespaces):
        subject: JsonObject = {"kind": "ServiceAccount", "name": operator.name}
        here = role["kind"] == "Role" and "namespace" not in role["metadata"]
        if not here:
            subject["namespace"] = namespace or REPLACE_NAMESPACE
        elif namespace:
            subject["namespace"] = namespace
        made.append(
            {
                "apiVersion": f"{API}/v1",
                "kind": f"{role['kind']}Binding",
                "metadata": role["metadata"],
                "subjects": [subject],
                "roleRef": {"apiGroup": API, "kind": role["kind"], "name": operator.name},
            }
        )
    return made


def _needs(operator: Operator, *, all_namespaces: bool) -> _Needs:
    needs = _Needs()
    for controller in operator.controllers:
        if all_namespaces or not controller.kind.api_resource.namespaced:
            homes: tuple[str, ...] = (EVERYWHERE,)
        else:
            homes = operator.namespaces or (HERE,)
        _controller_needs(needs, controller, homes)
    if operator.lease_name:
        needs.add([HERE], "coordination.k8s.io", "leases", ("create",))
        needs.add([HERE], "coordination.k8s.io", "leases", ("get", "watch", "update"), [operator.lease_name])
    return needs


def _places(namespaces: Iterable[str]) -> list[str]:
    """Where the namespaces that a controller names are: it calls all of them the empty one."""
    return [namespace or EVERYWHERE for namespace in namespaces]


def _controller_needs(needs: _Needs, controller: Controller[Any], homes: tuple[str, ...]) -> None:
    def where(kind: ApiResource) -> Iterable[str]:
        return homes if kind.namespaced else (EVERYWHERE,)

    resource = controller.kind.api_resource
    # Finalizers are patched: added where there is a finalize, removed where there was one.
    needs.add(where(resource), resource.group, resource.plural, (*_READ, "patch"))
    if "status" in resource.subresources:
        needs.add(where(resource), resource.group, f"{resource.plural}/status", ("patch",))
    # What OwnerReferencesPermissionEnforcement asks of whoever sets blockOwnerDeletion.
    needs.add(where(resource), resource.group, f"{resource.plural}/finalizers", ("update",))
    for kinds, wanted in ((controller.owned(), _OWN), (controller.formerly_owned(), _PRUNE)):
        for owns in kinds:
            owned = owns.kind.api_resource
            elsewhere = _places(owns.namespaces) if owned.namespaced else ()
            for place in dict.fromkeys((*where(owned), *elsewhere)):
                needs.add([place], owned.group, owned.plural, wanted)
    for given in controller.reads:
        reads = given if isinstance(given, Reads) else Reads(given)
        read = reads.kind.api_resource
        narrowed = reads.namespaces is not None and read.namespaced
        places = _places(reads.namespaces or ()) if narrowed else where(read)
        needs.add(places, read.group, read.plural, _READ, reads.names)
    for grant in controller.grants:
        for group in grant.groups:
            for name in grant.resources:
                needs.add(homes, group, name, grant.verbs, grant.names)
        if grant.non_resource_urls:
            needs.urls.setdefault(tuple(grant.non_resource_urls), set()).update(grant.verbs)
    needs.add(homes, "events.k8s.io", "events", ("create", "patch"))
