"""Which custom resources are served: names accepted, established, cleaned up, withdrawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubewright.objects import ApiResource, JsonObject
from kubewright.server import writepath
from kubewright.server.context import Context
from kubewright.server.crd.custom import definitions_of
from kubewright.server.deletion import delete
from kubewright.server.gotext import quote
from kubewright.server.media import decode
from kubewright.server.options import DeleteOptions
from kubewright.server.registry import ResourceDefinition
from kubewright.server.resource_store import ResourceStore
from kubewright.server.status import StatusError

if TYPE_CHECKING:
    from kubewright.server.server import Server

GROUP = "apiextensions.k8s.io"
PLURAL = "customresourcedefinitions"
CLEANUP = "customresourcecleanup.apiextensions.k8s.io"


def set_condition(crd: JsonObject, kind: str, state: str, reason: str, message: str, now: str) -> bool:
    """Set a condition; its transition time moves with its status. Whether anything changed."""
    conditions = crd["status"].get("conditions")
    if conditions is None:
        conditions = crd["status"]["conditions"] = []
    condition = {"type": kind, "status": state, "lastTransitionTime": now, "reason": reason, "message": message}
    for index, there in enumerate(conditions):
        if there["type"] == kind:
            if there["status"] == state:
                condition["lastTransitionTime"] = there["lastTransitionTime"]
            conditions[index] = condition
            return bool(there != condition)
    conditions.append(condition)
    return True


class CustomResources:
    """The custom resources of one server, following its CustomResourceDefinitions.

    What apiextensions' controllers do after a write is done here right after it: names are accepted in one
    change, the resource is established in the next.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._served: dict[str, list[ResourceDefinition]] = {}

    @property
    def _crds(self) -> ResourceStore:
        definition = self._server.resources.find(GROUP, "v1", PLURAL)
        assert definition is not None  # noqa: S101 - served from the start
        return self._server.resource_store(definition)

    def _read(self, name: str) -> JsonObject | None:
        entry = self._crds.table.objects.get(name)
        if entry is None:
            return None
        crd: JsonObject = decode(entry.raw)
        return crd

    def settle(self, name: str, now: str) -> None:
        """Accept names, establish and serve, as far as the definition allows."""
        crd = self._read(name)
        if crd is None or "deletionTimestamp" in crd["metadata"]:
            return
        accepted, conflict = self._accept_names(crd)
        changed = crd["status"].get("acceptedNames") != accepted
        crd["status"]["acceptedNames"] = accepted
        if conflict:
            changed |= set_condition(crd, "NamesAccepted", "False", *conflict, now)
        else:
            changed |= set_condition(crd, "NamesAccepted", "True", "NoConflicts", "no conflicts found", now)
        established = _is_true(crd, "Established")
        message = "the initial names have been accepted"
        if not established and not conflict:
            changed |= set_condition(crd, "Established", "False", "Installing", message, now)
        elif not established:
            changed |= set_condition(crd, "Established", "False", "NotAccepted", "not all names are accepted", now)
        if changed:
            self._put_status(crd, now)
        if not established and not conflict:
            set_condition(crd, "Established", "True", "InitialNamesAccepted", message, now)
            self._put_status(crd, now)
        if _is_true(crd, "Established"):
            self._serve(crd)

    def _put_status(self, crd: JsonObject, now: str) -> None:
        """Store what changed of the status, as apiextensions' controllers do."""
        store = self._crds
        context = Context(
            verb="update",
            group=GROUP,
            version="v1",
            resource=PLURAL,
            lookups=self._server.lookups,
            now=now,
            name=crd["metadata"]["name"],
            subresource="status",
            field_manager="kube-apiserver",
        )
        writepath.track_update(store.definition, self._read(context.name), crd, context)
        store.replace_unchecked(crd)

    def _accept_names(self, crd: JsonObject) -> tuple[JsonObject, tuple[str, str] | None]:
        wanted, there = crd["spec"]["names"], crd["status"].get("acceptedNames") or {}
        resources, kinds = self._taken(crd)
        accepted = {"plural": there.get("plural", ""), "kind": there.get("kind", "")}
        accepted |= {
            key: there[key] for key in ("singular", "shortNames", "listKind", "categories") if key in there
        }
        conflict: tuple[str, str] | None = None
        for key, taken, reason in (
            ("plural", resources, "PluralConflict"),
            ("singular", resources, "SingularConflict"),
            ("shortNames", resources, "ShortNamesConflict"),
            ("kind", kinds, "KindConflict"),
            ("listKind", kinds, "ListKindConflict"),
        ):
            value = wanted.get(key)
            names = value if isinstance(value, list) else [value]
            mine = there.get(key) or []
            used = [name for name in names if name and name in taken and name != mine and name not in mine]
            if used:
                messages = [f"{quote(name)} is already in use" for name in used]
                conflict = (reason, messages[0] if len(messages) == 1 else f"[{', '.join(messages)}]")
            elif value:
                accepted[key] = value
            else:
                accepted.pop(key, None)
        if wanted.get("categories"):
            accepted["categories"] = wanted["categories"]
        else:
            accepted.pop("categories", None)
        return accepted, conflict

    def _taken(self, crd: JsonObject) -> tuple[set[str], set[str]]:
        resources: set[str] = set()
        kinds: set[str] = set()
        for entry in self._crds.table.scan():
            other = decode(entry.raw)
            if other["spec"]["group"] != crd["spec"]["group"] or entry.key == crd["metadata"]["name"]:
                continue
            names = other["status"].get("acceptedNames") or {}
            resources |= {names.get("plural", ""), names.get("singular", ""), *(names.get("shortNames") or [])}
            kinds |= {names.get("kind", ""), names.get("listKind", "")}
        return resources, kinds

    def _serve(self, crd: JsonObject) -> None:
        name = crd["metadata"]["name"]
        for definition in self._served.pop(name, []):
            self._server.forget(definition)
        definitions = definitions_of(crd, lambda: self.finish_cleanup(name))
        for definition in definitions:
            self._server.serve(definition)
        self._served[name] = definitions

    # -- the end of a definition --------------------------------------------------------------------------------

    async def begin_cleanup(self, name: str, context: Context) -> None:
        """Delete every instance, then see whether all are gone."""
        for definition in self._served.get(name, [])[:1]:
            store = self._server.resource_store(definition)
            for entry in list(store.table.scan()):
                of = _context_of(definition.resource, entry.namespace, entry.name, context)
                try:
                    await delete(store, entry.name, DeleteOptions(), of)
                except StatusError as error:
                    if error.code != 404:
                        raise
        self.finish_cleanup(name)

    def finish_cleanup(self, name: str) -> None:
        """Let the definition go once it is being deleted and no instance is left."""
        crd = self._read(name)
        if crd is None or "deletionTimestamp" not in crd["metadata"]:
            return
        resource = f"{crd['spec']['names']['plural']}.{crd['spec']['group']}"
        now = crd["metadata"]["deletionTimestamp"]
        if self._server.store.table(resource).objects:
            message = "CustomResource deletion is in progress"
            if set_condition(crd, "Terminating", "True", "InstanceDeletionInProgress", message, now):
                self._crds.replace_unchecked(crd)
            return
        finalizers = [other for other in crd["metadata"].get("finalizers") or [] if other != CLEANUP]
        set_condition(crd, "Terminating", "False", "InstanceDeletionCompleted", "removed all instances", now)
        if finalizers:
            crd["metadata"]["finalizers"] = finalizers
            self._crds.replace_unchecked(crd)
            return
        crd["metadata"].pop("finalizers", None)
        self._crds.remove_as(crd)
        self.withdraw(name)

    # -- after a restart ----------------------------------------------------------------------------------------

    def restore(self, now: str) -> None:
        """Serve what was served, and settle what was not yet."""
        for entry in list(self._crds.table.scan()):
            crd = decode(entry.raw)
            if _is_true(crd, "Established"):
                self._serve(crd)
            self.settle(entry.key, now)

    async def resume(self, now: str) -> None:
        """Delete the instances of definitions that are being deleted."""
        for entry in list(self._crds.table.scan()):
            if "deletionTimestamp" in decode(entry.raw)["metadata"]:
                lookups = self._server.lookups
                context = Context(
                    verb="delete",
                    group=GROUP,
                    version="v1",
                    resource=PLURAL,
                    lookups=lookups,
                    now=now,
                    name=entry.key,
                )
                await self.begin_cleanup(entry.key, context)

    def withdraw(self, name: str) -> None:
        """Serve the definition's resources no longer."""
        for definition in self._served.pop(name, []):
            self._server.forget(definition)
            self._server.store.drop(definition.resource.group_resource)


def _is_true(crd: JsonObject, kind: str) -> bool:
    conditions = crd["status"].get("conditions") or []
    return any(condition["type"] == kind and condition["status"] == "True" for condition in conditions)


def _context_of(resource: ApiResource, namespace: str, name: str, context: Context) -> Context:
    return Context(
        verb="delete",
        group=resource.group,
        version=resource.version,
        resource=resource.plural,
        lookups=context.lookups,
        now=context.now,
        namespace=namespace,
        name=name,
        user=context.user,
    )
