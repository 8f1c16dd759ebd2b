"""The strategy built-in kinds have in common: their Go shape, their defaults, their status and generation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from kubewright.objects import ApiResource, JsonObject
from kubewright.server.builtin.defaults import apply_defaults
from kubewright.server.builtin.shapes import reshape, type_of
from kubewright.server.context import Context
from kubewright.server.fielderrors import FieldError
from kubewright.server.names import dns_subdomain_problems
from kubewright.server.registry import Cell, Strategy

NameProblems: TypeAlias = Callable[..., list[str]]
Validate: TypeAlias = Callable[[JsonObject, Context], list[FieldError]]
ValidateUpdate: TypeAlias = Callable[[JsonObject, JsonObject, Context], list[FieldError]]
Rows: TypeAlias = Callable[[JsonObject], list[Cell]]


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """What one kind does beyond what all built-in kinds do.

    Attributes:
        name_problems: what is wrong with a name.
        generation: the fields whose change advances ``metadata.generation``; empty if the kind has none.
        has_status: ``status`` is written through its subresource alone.
        validate: what is wrong with a new object.
        validate_update: what is wrong with a changed one; called in addition to ``validate``.
        changes_first: errors of ``validate_update`` come before those of ``validate``.
        selectable: fields for field selectors, each with the path it is read from.
        rows: the cells of its Table row.
        unconditional_update: a PUT may come without resourceVersion.
        create_on_update: a PUT of an object that is not there creates it.
        orphans: dependents survive a delete that does not say otherwise.
        returns_deleted: a delete answers with the object.
        collects_garbage: a delete may have a propagation policy.
    """

    name_problems: NameProblems = dns_subdomain_problems
    generation: tuple[str, ...] = ()
    has_status: bool = False
    validate: Validate | None = None
    validate_update: ValidateUpdate | None = None
    changes_first: bool = False
    selectable: tuple[str, ...] = ()
    rows: Rows | None = None
    unconditional_update: bool = True
    create_on_update: bool = False
    orphans: bool = False
    returns_deleted: bool = False
    collects_garbage: bool = True


class BuiltinStrategy(Strategy):
    """A built-in kind's strategy, told what to do by its :class:`Behaviour`; subclasses allocate and prepare."""

    def __init__(self, api_version: str, kind: str, behaviour: Behaviour) -> None:
        self.go_type = type_of(api_version, kind)
        self.behaviour = behaviour
        self.allow_unconditional_update = behaviour.unconditional_update
        self.allow_create_on_update = behaviour.create_on_update
        self.orphans_dependents_by_default = behaviour.orphans
        self.returns_deleted_object = behaviour.returns_deleted
        self.collects_garbage = behaviour.collects_garbage

    def name_problems(self, name: str, *, prefix: bool) -> list[str]:
        """As the kind says."""
        return self.behaviour.name_problems(name, prefix=prefix)

    def empty(self, resource: ApiResource) -> JsonObject:
        """The Go type's zero value."""
        obj = super().empty(resource)
        reshape(obj, self.go_type)
        return obj

    def default(self, obj: JsonObject) -> None:
        """Bring the object into its Go type's shape and set the defaults."""
        reshape(obj, self.go_type)
        apply_defaults(obj, self.go_type)

    def prepare_for_create(self, obj: JsonObject, context: Context) -> None:
        """Start status and generation afresh."""
        if self.behaviour.has_status:
            obj.pop("status", None)
            self.default(obj)
        if self.behaviour.generation:
            obj["metadata"]["generation"] = 1

    def prepare_for_update(self, obj: JsonObject, old: JsonObject, context: Context) -> None:
        """Keep the status; advance the generation if what it counts has changed."""
        if self.behaviour.has_status:
            _carry_over(obj, old, "status")
        if self.behaviour.generation:
            before = old["metadata"].get("generation", 0)
            changed = any(_at(obj, path) != _at(old, path) for path in self.behaviour.generation)
            obj["metadata"]["generation"] = before + 1 if changed else before

    def validate(self, obj: JsonObject, context: Context) -> list[FieldError]:
        """As the kind says."""
        return self.behaviour.validate(obj, context) if self.behaviour.validate else []

    def validate_update(self, obj: JsonObject, old: JsonObject, context: Context) -> list[FieldError]:
        """What a new object must satisfy, and what may not change."""
        changes = self.behaviour.validate_update(obj, old, context) if self.behaviour.validate_update else []
        found = self.validate(obj, context)
        return changes + found if self.behaviour.changes_first else found + changes

    def selectable_fields(self, obj: JsonObject) -> dict[str, str]:
        """The kind's own fields, empty where they are not set."""
        return {path: _text(_at(obj, path)) for path in self.behaviour.selectable}

    def rows(self, obj: JsonObject) -> list[Cell]:
        """As the kind says, or name and age."""
        return self.behaviour.rows(obj) if self.behaviour.rows else super().rows(obj)


class BuiltinStatusStrategy(BuiltinStrategy):
    """The ``status`` subresource: what the main resource takes over stays, spec above all."""

    kept: tuple[str, ...] = ("spec",)
    kept_metadata: tuple[str, ...] = ()

    def reset(self, obj: JsonObject, old: JsonObject | None) -> None:
        """Drop changes of what is not status."""
        if old is None:
            return
        for name in self.kept:
            _carry_over(obj, old, name)
        for name in self.kept_metadata:
            _carry_over(obj["metadata"], old["metadata"], name)

    def prepare_for_update(self, obj: JsonObject, old: JsonObject, context: Context) -> None:
        """The generation counts changes of the spec alone."""
        _carry_over(obj["metadata"], old["metadata"], "generation")

    def validate(self, obj: JsonObject, context: Context) -> list[FieldError]:
        """Status is not validated yet."""
        return []

    def validate_update(self, obj: JsonObject, old: JsonObject, context: Context) -> list[FieldError]:
        """Status is not validated yet."""
        return []


class DeploymentStatusStrategy(BuiltinStatusStrategy):
    """Deployments keep their labels too."""

    kept_metadata = ("labels",)


class PodStatusStrategy(BuiltinStatusStrategy):
    """Pods keep their owners, and their quality of service if the writer left it out."""

    kept_metadata = ("ownerReferences",)

    def reset(self, obj: JsonObject, old: JsonObject | None) -> None:
        """Keep what kubelets leave out."""
        super().reset(obj, old)
        if old is not None and "qosClass" in old["status"]:
            obj["status"].setdefault("qosClass", old["status"]["qosClass"])


def _carry_over(obj: JsonObject, old: JsonObject, name: str) -> None:
    if name in old:
        obj[name] = old[name]
    else:
        obj.pop(name, None)


def _at(obj: JsonObject, path: str) -> object:
    value: object = obj
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return ",".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)
