"""Cluster roles made of others: what the controller manager's clusterrole-aggregation-controller does."""

from __future__ import annotations

from collections.abc import Callable

from kubewright.objects import JsonObject, selectors
from kubewright.server import writepath
from kubewright.server.builtin.strategy import BuiltinStrategy
from kubewright.server.context import Context
from kubewright.server.media import decode
from kubewright.server.resource_store import ResourceStore
from kubewright.server.store import Entry

_MANAGER = "clusterrole-aggregation-controller"


class ClusterRoleStrategy(BuiltinStrategy):
    """A cluster role's strategy: whenever one changes, those that are made of others are gathered anew."""

    def __init__(self, plain: BuiltinStrategy, resources: Callable[[], ResourceStore]) -> None:
        super().__init__("rbac.authorization.k8s.io/v1", "ClusterRole", plain.behaviour)
        self._resources = resources

    def after_create(self, obj: JsonObject, context: Context) -> None:
        """Gather."""
        aggregate(self._resources(), context)

    def after_update(self, obj: JsonObject, old: JsonObject, context: Context) -> None:
        """Gather."""
        aggregate(self._resources(), context)

    def after_delete(self, obj: JsonObject, context: Context) -> None:
        """Gather."""
        aggregate(self._resources(), context)


def aggregate(resources: ResourceStore, cause: Context) -> None:
    """Bring the rules of all aggregated cluster roles up to date."""
    context = Context(
        verb="patch",
        group="rbac.authorization.k8s.io",
        version="v1",
        resource="clusterroles",
        lookups=cause.lookups,
        now=cause.now,
        field_manager=_MANAGER,
    )
    changed = True
    while changed:
        changed = False
        # A role that is made of others may be one that others are made of.
        for entry in [entry for entry in resources.table.scan() if b'"aggregationRule"' in entry.raw]:
            changed |= _gather(resources, entry, context)


def _gather(resources: ResourceStore, entry: Entry, context: Context) -> bool:
    role = resources.decode(entry)
    rules: list[JsonObject] = []
    for given in (role.get("aggregationRule") or {}).get("clusterRoleSelectors") or ():
        selector = selectors.label_selector(given)
        if selector is None:
            continue
        for other in resources.table.scan():
            if other.key != entry.key and selector.matches(other.labels):
                rules += [rule for rule in decode(other.raw).get("rules") or () if rule not in rules]
    if not role.get("aggregationRule") or rules == (role.get("rules") or []):
        return False
    config: JsonObject = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": entry.name},
    }
    if rules:
        config["rules"] = rules
    gathered = writepath.apply(resources.definition, role, config, context, force=True)
    if gathered.get("rules") == role.get("rules"):
        return False  # nothing to gather: what somebody else wrote stays, as the controller leaves it
    resources.definition.strategy.default(gathered)
    resources.replace_unchecked(gathered)
    return True
