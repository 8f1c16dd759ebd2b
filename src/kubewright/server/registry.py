"""What a resource is to the server: its names, schema, strategy, table columns and subresources.

The equivalent of apiserver's generic registry: one :class:`ResourceDefinition` for each resource and version
served, and a :class:`Strategy` in the shape of Go's rest strategies, doing nothing unless told otherwise.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from kubewright.objects import ApiResource, JsonObject
from kubewright.server.context import Context
from kubewright.server.names import dns_subdomain_problems
from kubewright.wire import Request, Response

if TYPE_CHECKING:
    from kubewright.server.fielderrors import FieldError
    from kubewright.server.resource_store import ResourceStore
    from kubewright.server.schema import Schema

Path: TypeAlias = tuple[str, ...]
Cell: TypeAlias = str | int | float | bool | None


class Strategy:
    """How objects of one resource are defaulted, prepared, validated and shown. Override what differs.

    Objects are JSON trees, already pruned to the schema and with the schema's defaults applied. A strategy belongs
    to one server and may hold state (allocators).
    """

    allow_create_on_update: bool = False
    """PUT of an object that is not there creates it."""

    allow_unconditional_update: bool = True
    """PUT without a resourceVersion replaces whatever is there."""

    orphans_dependents_by_default: bool = False
    """A delete without a propagation policy orphans."""

    strategic_merge: bool = True
    """The resource takes strategic merge patches; custom resources do not."""

    reset_fields: Sequence[Path] = ()
    """What :meth:`reset` undoes, as paths; nobody comes to own these. ``("status",)`` goes without saying."""

    def name_problems(self, name: str, *, prefix: bool) -> list[str]:
        """What is wrong with a name, or with the prefix of a generated one; DNS subdomains by default."""
        return dns_subdomain_problems(name, prefix=prefix)

    def default(self, obj: JsonObject) -> None:
        """Fill in what the schema's defaults do not say. Also run on objects that are read from an older state."""

    def empty(self, resource: ApiResource) -> JsonObject:
        """The object that Go makes of nothing: fields that are always there belong to nobody."""
        return {"apiVersion": resource.api_version, "kind": resource.kind}

    def reset(self, obj: JsonObject, old: JsonObject | None) -> None:
        """Undo what this way of writing may not touch, before the ownership of fields is tracked.

        The main resource of a definition with a ``status`` subresource has its status reset without this.
        """

    def prepare_for_create(self, obj: JsonObject, context: Context) -> None:
        """Drop what a client may not set (status), start the generation."""

    def prepare_for_update(self, obj: JsonObject, old: JsonObject, context: Context) -> None:
        """Carry over from ``old`` what this way of writing may not change; advance the generation."""

    def validate(self, obj: JsonObject, context: Context) -> list[FieldError]:
        """What is wrong with a new object, beyond metadata and schema."""
        return []

    def validate_update(self, obj: JsonObject, old: JsonObject, context: Context) -> list[FieldError]:
        """What is wrong with a changed object, beyond metadata and schema; immutable fields."""
        return []

    def warnings(self, obj: JsonObject, old: JsonObject | None) -> list[str]:
        """What the client should know although the object is accepted."""
        return []

    def begin_create(self, obj: JsonObject, context: Context) -> None:
        """Allocate (addresses, ports) for a valid object; not called in a dry run."""

    def begin_update(self, obj: JsonObject, old: JsonObject, context: Context) -> None:
        """Allocate and release for a valid change; not called in a dry run."""

    def after_create(self, obj: JsonObject, context: Context) -> None:
        """The object has been stored."""

    def after_update(self, obj: JsonObject, old: JsonObject, context: Context) -> None:
        """The change has been stored."""

    def after_delete(self, obj: JsonObject, context: Context) -> None:
        """The object is gone from the store."""

    def grace_period_seconds(self, obj: JsonObject, asked: int | None) -> int | None:
        """Seconds between the delete and the end, or None if the resource is not deleted gracefully."""
        return None

    def delete_waits(self, obj: JsonObject, context: Context) -> bool:
        """A delete only marks the object, though metadata has no finalizers (namespaces wait for their own)."""
        return False

    def mark_deleting(self, obj: JsonObject, context: Context) -> None:
        """The object, for which a delete waits, has been given its deletionTimestamp."""

    async def after_mark_deleting(self, obj: JsonObject, context: Context) -> None:
        """The object that was marked has been stored."""

    returns_deleted_object: bool = False
    """A delete answers with the object as it was instead of with a Status."""

    collects_garbage: bool = True
    """A propagation policy may leave its finalizer on the object."""

    def selectable_fields(self, obj: JsonObject) -> dict[str, str]:
        """The values field selectors see, besides ``metadata.name`` and ``metadata.namespace``.

        Names the same fields for every object, an empty one included.
        """
        return {}

    def rows(self, obj: JsonObject) -> list[Cell]:
        """The cells of the object's row in a Table, one for each of the definition's columns."""
        metadata = obj.get("metadata") or {}
        return [metadata.get("name"), metadata.get("creationTimestamp")]


class StatusStrategy(Strategy):
    """The usual ``status`` subresource: everything but ``status`` and managed fields stays as it was."""

    reset_fields = (("metadata",), ("spec",))

    def empty(self, resource: ApiResource) -> JsonObject:
        """The object that Go makes of nothing: fields that are always there belong to nobody."""
        return {"apiVersion": resource.api_version, "kind": resource.kind}

    def reset(self, obj: JsonObject, old: JsonObject | None) -> None:
        """Keep all that is not status."""
        if old is None:
            return
        status = obj.get("status")
        metadata = dict(old["metadata"])
        metadata.pop("managedFields", None)
        given = obj.get("metadata") or {}
        for key in ("managedFields", "resourceVersion"):
            metadata.pop(key, None)
            if key in given:
                metadata[key] = given[key]
        for key in [key for key in obj if key not in ("apiVersion", "kind")]:
            del obj[key]
        obj.update({key: value for key, value in old.items() if key not in ("apiVersion", "kind", "status")})
        obj["metadata"] = metadata
        if status is not None:
            obj["status"] = status


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a Table (meta/v1 TableColumnDefinition)."""

    name: str
    type: str = "string"
    format: str = ""
    description: str = ""
    priority: int = 0


TableColumns: TypeAlias = Sequence[Column]

NAME_COLUMN = Column(
    "Name",
    format="name",
    description=(
        "Name must be unique within a namespace. Is required when creating resources, although some resources may "
        "allow a client to request the generation of an appropriate name automatically. Name is primarily intended "
        "for creation idempotence and configuration definition. Cannot be updated. More info: "
        "https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names"
    ),
)
DEFAULT_COLUMNS: TableColumns = (
    NAME_COLUMN,
    Column(
        "Created At",
        type="date",
        description=(
            "CreationTimestamp is a timestamp representing the server time when this object was created. It is not "
            "guaranteed to be set in happens-before order across separate operations. Clients may not set this "
            "value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null "
            "for lists. More info: "
            "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata"
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Scale:
    """Where the ``scale`` subresource reads and writes: simple JSON paths such as ``.spec.replicas``."""

    spec_replicas: str = ".spec.replicas"
    status_replicas: str = ".status.replicas"
    label_selector: str = ".status.selector"
    """A path to a selector string, or to a LabelSelector object (built-in workloads)."""


@dataclass(frozen=True, slots=True)
class ActionRequest:
    """A request for a subresource that is neither status nor scale: eviction, binding, token, log, …"""

    context: Context
    request: Request
    body: JsonObject | None
    resources: ResourceStore


Action: TypeAlias = Callable[[ActionRequest], Awaitable[Response | JsonObject]]
Converter: TypeAlias = Callable[[JsonObject, str], JsonObject]


def relabel(obj: JsonObject, api_version: str) -> JsonObject:
    """The conversion of versions that are alike: only ``apiVersion`` changes."""
    return {**obj, "apiVersion": api_version}


@dataclass(frozen=True, kw_only=True, eq=False)
class ResourceDefinition:
    """A resource in one version, as the server serves it.

    Attributes:
        resource: names, scope and verbs; verbs empty means all of them.
        schema: called once, when first needed, for the schema of the whole object; None keeps objects as they come.
        strategy: the resource's own behaviour.
        columns: of its Tables; the strategy's ``rows`` has a cell for each.
        subresources: strategies of the subresources that write the same object (``status``, …).
        scale: the ``scale`` subresource, if there is one.
        actions: other subresources, by name.
        creates: subresources to which objects of another kind are posted, by name: what is posted to ``token``.
        answer_create: a create is answered by this with the object it is given, and stores nothing (reviews).
        missing_subresources: subresources that the real server has and this one answers with 501.
        missing: why the whole resource answers 501, or empty.
        storage_version: the version stored; empty means this one.
        convert: makes an object of this resource one of another version.
        list_kind: empty means ``<kind>List``.
        custom: a custom resource: JSON only, items of lists carry apiVersion and kind.
        deprecation: what every request for this version is warned of, or empty.
    """

    resource: ApiResource
    schema: Callable[[], Schema] | None = None
    strategy: Strategy = field(default_factory=Strategy)
    columns: TableColumns = DEFAULT_COLUMNS
    subresources: Mapping[str, Strategy] = field(default_factory=dict)
    scale: Scale | None = None
    actions: Mapping[str, Action] = field(default_factory=dict)
    creates: Mapping[str, ResourceDefinition] = field(default_factory=dict)
    answer_create: Action | None = None
    missing_subresources: frozenset[str] = frozenset()
    missing: str = ""
    storage_version: str = ""
    convert: Converter = relabel
    list_kind: str = ""
    custom: bool = False
    deprecation: str = ""
