"""The doors of schema and apply, as the handlers use them: one call for each step of a write."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache

from kubewright.objects import JsonObject
from kubewright.server import status
from kubewright.server.apply import ApplyConflict, ApplyError
from kubewright.server.apply import apply as apply_config
from kubewright.server.apply import track_update as track
from kubewright.server.context import Context
from kubewright.server.fielderrors import FieldError
from kubewright.server.registry import Path, ResourceDefinition
from kubewright.server.schema import Schema, apply_defaults, prune
from kubewright.server.schema import validate as validate_schema


@lru_cache(maxsize=4096)
def schema_of(definition: ResourceDefinition) -> Schema | None:
    """The schema, made when first needed."""
    return definition.schema() if definition.schema is not None else None


def clean(definition: ResourceDefinition, obj: JsonObject, *, applied: bool = False) -> list[str]:
    """Prune ``obj`` to its schema and apply the schema's and the strategy's defaults; what was pruned, by path.

    Nulls in what an apply made (``applied``) stay for validation to refuse.
    """
    unknown: list[str] = []
    schema = schema_of(definition)
    if schema is not None:
        unknown = prune(schema, obj)
        apply_defaults(schema, obj, applied=applied and definition.custom)
    definition.strategy.default(obj)
    return unknown


def validate(
    definition: ResourceDefinition, obj: JsonObject, old: JsonObject | None, context: Context
) -> list[FieldError]:
    """What the schema finds wrong with ``obj``; built-in kinds are validated by their strategies alone."""
    schema = schema_of(definition)
    if schema is None or not definition.custom:
        return []
    ratcheted: list[FieldError] = []
    errors = validate_schema(schema, obj, old, subresource=context.subresource, ratcheted=ratcheted)
    context.warnings += [error.message for error in ratcheted]
    return errors


def track_update(
    definition: ResourceDefinition, live: JsonObject | None, obj: JsonObject, context: Context
) -> None:
    """Record in ``obj`` which fields this write makes its field manager's."""
    track(
        live,
        obj,
        schema=schema_of(definition),
        manager=context.field_manager,
        subresource=context.subresource,
        api_version=definition.resource.api_version,
        now=datetime.fromisoformat(context.now),
        reset_fields=_reset_fields(definition, context),
        empty=definition.strategy.empty(definition.resource),
    )
    if context.subresource == "scale":
        _untime_scale(obj)


def _untime_scale(obj: JsonObject) -> None:
    """Ownership through ``scale`` carries no time, and stands before what does."""
    entries: list[JsonObject] = obj["metadata"].get("managedFields") or []
    for entry in entries:
        if entry.get("subresource") == "scale":
            entry.pop("time", None)
    entries.sort(key=lambda entry: (entry["operation"], "time" in entry))


def apply(
    definition: ResourceDefinition, live: JsonObject | None, config: JsonObject, context: Context, *, force: bool
) -> JsonObject:
    """What a server-side apply of ``config`` makes of ``live``.

    Raises:
        StatusError: 409, other managers own fields that would change; or the configuration does not fit.
    """
    try:
        return apply_config(
            live,
            config,
            schema=schema_of(definition),
            manager=context.field_manager,
            force=force,
            subresource=context.subresource,
            api_version=definition.resource.api_version,
            now=datetime.fromisoformat(context.now),
            reset_fields=_reset_fields(definition, context),
            empty=definition.strategy.empty(definition.resource),
        )
    except ApplyConflict as conflict:
        raise status.apply_conflict(conflict.message, conflict.causes) from conflict
    except ApplyError as error:
        reason = "BadRequest" if error.code == 400 else ""
        raise status.failure(error.code, reason, error.message) from error


def _reset_fields(definition: ResourceDefinition, context: Context) -> Sequence[Path]:
    if context.subresource in definition.subresources:
        return definition.subresources[context.subresource].reset_fields
    if "status" in definition.subresources:
        return (("status",), *definition.strategy.reset_fields)
    return definition.strategy.reset_fields
