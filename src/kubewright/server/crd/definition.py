"""The CustomResourceDefinition resource itself: its defaults, its conditions, and what serving follows from it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from kubewright.objects import ApiResource, JsonObject
from kubewright.server.context import Context
from kubewright.server.crd.serving import CLEANUP, CustomResources, set_condition
from kubewright.server.crd.validation import validate_crd, validate_crd_update
from kubewright.server.fielderrors import FieldError
from kubewright.server.registry import Cell, ResourceDefinition, StatusStrategy, Strategy

if TYPE_CHECKING:
    from kubewright.server.server import Server


class CrdStrategy(Strategy):
    """Definitions are checked, accepted, served, and at their end un-served with all their objects."""

    allow_unconditional_update = False

    def __init__(self, shape: Strategy, custom_resources: CustomResources) -> None:
        self._shape = shape
        self._custom = custom_resources

    def name_problems(self, name: str, *, prefix: bool) -> list[str]:
        """Checked with the spec, which the name is made of."""
        return []

    def empty(self, resource: ApiResource) -> JsonObject:
        """As the shape says."""
        return self._shape.empty(resource)

    def default(self, obj: JsonObject) -> None:
        """Singular and list kind follow from the kind; no conversion."""
        self._shape.default(obj)
        spec: JsonObject = obj.get("spec") or {}
        names: JsonObject = spec.setdefault("names", {})
        kind = names.get("kind")
        if kind:
            names["singular"] = names.get("singular") or kind.lower()
            names["listKind"] = names.get("listKind") or f"{kind}List"
        spec.setdefault("conversion", {"strategy": "None"})

    def reset(self, obj: JsonObject, old: JsonObject | None) -> None:
        """Status is the server's."""

    def prepare_for_create(self, obj: JsonObject, context: Context) -> None:
        """Start status and generation afresh."""
        obj["metadata"]["generation"] = 1
        obj["status"] = {
            "conditions": None,
            "acceptedNames": {"plural": "", "kind": ""},
            "storedVersions": _stored(obj),
        }

    def prepare_for_update(self, obj: JsonObject, old: JsonObject, context: Context) -> None:
        """The generation counts changes of the spec; a new storage version joins the stored ones."""
        status = obj["status"] = old["status"]
        if obj["spec"] != old["spec"]:
            obj["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1
        status["storedVersions"] = list(dict.fromkeys([*(status.get("storedVersions") or []), *_stored(obj)]))

    def validate(self, obj: JsonObject, context: Context) -> list[FieldError]:
        """Whether the definition can be served."""
        return validate_crd(obj)

    def validate_update(self, obj: JsonObject, old: JsonObject, context: Context) -> list[FieldError]:
        """Whether the change can be served, and leaves alone what may not change."""
        return validate_crd_update(obj, old)

    def after_create(self, obj: JsonObject, context: Context) -> None:
        """Accept the names and serve."""
        self._custom.settle(obj["metadata"]["name"], context.now)

    def after_update(self, obj: JsonObject, old: JsonObject, context: Context) -> None:
        """Serve what has changed."""
        self._custom.settle(obj["metadata"]["name"], context.now)

    def delete_waits(self, obj: JsonObject, context: Context) -> bool:
        """For its instances, the first time it is deleted."""
        return "deletionTimestamp" not in obj["metadata"]

    def mark_deleting(self, obj: JsonObject, context: Context) -> None:
        """Wait for the instances."""
        finalizers = obj["metadata"].setdefault("finalizers", [])
        if CLEANUP not in finalizers:
            finalizers.append(CLEANUP)
        message = "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon"
        set_condition(obj, "Terminating", "True", "InstanceDeletionPending", message, context.now)

    async def after_mark_deleting(self, obj: JsonObject, context: Context) -> None:
        """Delete the instances."""
        await self._custom.begin_cleanup(obj["metadata"]["name"], context)

    def after_delete(self, obj: JsonObject, context: Context) -> None:
        """Serve it no longer."""
        self._custom.withdraw(obj["metadata"]["name"])

    def restore(self, now: str) -> None:
        """Serve what the definitions that are there say."""
        self._custom.restore(now)

    async def resume(self, now: str) -> None:
        """Go on with cleanups that were interrupted."""
        await self._custom.resume(now)

    def rows(self, obj: JsonObject) -> list[Cell]:
        """Name and creation."""
        return self._shape.rows(obj)


class CrdStatusStrategy(StatusStrategy):
    """Status of a definition: storage versions are pruned here after a migration."""

    allow_unconditional_update = False


def _stored(crd: JsonObject) -> list[str]:
    return [version["name"] for version in crd["spec"].get("versions") or [] if version.get("storage")][:1]


def crd_definition(server: Server, builtin: ResourceDefinition) -> ResourceDefinition:
    """CustomResourceDefinitions, served by ``server``.

    Args:
        server: which will serve the custom resources.
        builtin: the recorded definition: schema, shape and columns.
    """
    strategy = CrdStrategy(builtin.strategy, CustomResources(server))
    return replace(builtin, strategy=strategy, subresources={"status": CrdStatusStrategy()})
