"""The metadata every object carries: ``k8s.io/apimachinery``'s meta/v1, as far as objects hold it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, TypeAlias

import msgspec

from kubewright.objects.base import Model, field
from kubewright.objects.markers import Atomic, ListMap, ListSet

MicroTime: TypeAlias = datetime
"""A time the API server reads only with all six digits of its microseconds; ``to_json`` sends them."""


class OwnerReference(Model):
    """Who an object belongs to; the garbage collector follows it."""

    api_version: str
    kind: str
    name: str
    uid: str
    controller: bool | None = None
    block_owner_deletion: bool | None = None


class ManagedFieldsEntry(Model):
    """What one field manager owns of an object (server-side apply)."""

    manager: str | None = None
    operation: str | None = None
    api_version: str | None = None
    time: datetime | None = None
    fields_type: str | None = None
    # Not "Raw | None": msgspec takes a union with Raw for None alone.
    fields_v1: msgspec.Raw = field(name="fieldsV1", default=msgspec.Raw())
    subresource: str | None = None


class ObjectMeta(Model):
    """Standard object metadata (meta/v1 ObjectMeta)."""

    name: str | None = None
    generate_name: str | None = None
    namespace: str | None = None
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    owner_references: Annotated[list[OwnerReference], ListMap("uid")] | None = None
    finalizers: Annotated[list[str], ListSet()] | None = None
    uid: str | None = None
    resource_version: str | None = None
    generation: int | None = None
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None
    deletion_grace_period_seconds: int | None = None
    managed_fields: list[ManagedFieldsEntry] | None = None
    self_link: str | None = None


class ListMeta(Model):
    """Metadata of a list (meta/v1 ListMeta)."""

    resource_version: str | None = None
    continue_: str | None = field(name="continue", default=None)
    remaining_item_count: int | None = None
    self_link: str | None = None


class Condition(Model):
    """One aspect of an object's state (meta/v1 Condition)."""

    type: str
    status: str
    reason: str
    message: str
    last_transition_time: datetime
    observed_generation: int | None = None


class LabelSelectorRequirement(Model):
    """One requirement of a label selector; ``operator`` is In, NotIn, Exists or DoesNotExist."""

    key: str
    operator: str
    values: list[str] | None = None


class LabelSelector(Model):
    """A label query: all of ``match_labels`` and ``match_expressions`` must hold; empty selects everything."""

    match_labels: dict[str, str] | None = None
    match_expressions: list[LabelSelectorRequirement] | None = None


class FieldSelectorRequirement(Model):
    """One requirement of a field selector (authorization/v1)."""

    key: str
    operator: str
    values: list[str] | None = None


class GroupResource(Model):
    """A resource of a group, in no particular version."""

    group: str
    resource: str


class Preconditions(Model):
    """What must still hold of an object for it to be deleted."""

    resource_version: str | None = None
    uid: str | None = None


class DeleteOptions(Model):
    """How an object is to be deleted; ``propagation_policy`` is Orphan, Background or Foreground."""

    dry_run: Annotated[list[str], Atomic()] | None = None
    grace_period_seconds: int | None = None
    ignore_store_read_error_with_cluster_breaking_potential: bool | None = None
    orphan_dependents: bool | None = None
    preconditions: Preconditions | None = None
    propagation_policy: str | None = None
