"""The status of the custom resource: written only where it differs, field by field."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple, get_args

import msgspec

from kubewright import clock
from kubewright.objects import Condition, JsonObject, JsonValue, Model, Object, Resource, Status

READY: Final = "Ready"


class StatusShape(NamedTuple):
    """What a kind's status can hold.

    Attributes:
        fields: wire names.
        conditions: the class of its conditions where we may keep some in it: a custom resource's, with type,
            status, reason, message and lastTransitionTime.
        condition_fields: the wire names of that class.
        observed_generation: whether we keep it: in a status type of the user's own.
    """

    fields: tuple[str, ...] = ()
    conditions: type[Model] | None = None
    condition_fields: frozenset[str] = frozenset()
    observed_generation: bool = False


_CONDITION_FIELDS = {"type", "status", "reason", "message", "lastTransitionTime"}


@lru_cache(maxsize=256)
def status_shape(kind: type[Object]) -> StatusShape:
    """The shape of ``kind``'s status; empty if it has none.

    The conditions of built-in kinds are their controllers' own business.
    """
    status = _model_in(next((f.type for f in msgspec.structs.fields(kind) if f.name == "status"), None))
    if status is None:
        return StatusShape()
    described = msgspec.structs.fields(status)
    names = tuple(field.encode_name for field in described)
    if not issubclass(kind, Resource):
        return StatusShape(names)
    listed = next((field.type for field in described if field.encode_name == "conditions"), None)
    conditions = _model_in(listed)
    held: frozenset[str] = frozenset()
    if conditions is not None:
        held = frozenset(field.encode_name for field in msgspec.structs.fields(conditions))
        conditions = conditions if held >= _CONDITION_FIELDS else None
    return StatusShape(names, conditions, held, "observedGeneration" in names and issubclass(status, Status))


def _model_in(annotation: Any) -> type[Model] | None:
    """The one model class somewhere in an annotation."""
    if isinstance(annotation, type) and issubclass(annotation, Model):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part))), None)


def with_conditions(
    status: JsonObject,
    live: JsonObject,
    shape: StatusShape,
    *,
    generation: int,
    conditions: Sequence[Condition],
) -> JsonObject:
    """``status`` with ``conditions`` added, times kept where a condition's status did not change."""
    made = dict(status)
    if shape.observed_generation and made.get("observedGeneration") is None:
        made["observedGeneration"] = generation
    if shape.conditions is None:
        return made
    before = {condition.get("type"): condition for condition in live.get("conditions") or ()}
    after: dict[str, JsonObject] = {condition["type"]: condition for condition in made.get("conditions") or ()}
    for condition in conditions:
        tree: JsonObject = msgspec.to_builtins(condition)
        tree.setdefault("observedGeneration", generation)
        after[condition.type] = {name: value for name, value in tree.items() if name in shape.condition_fields}
    keep_times = shape.conditions is Condition
    ours = {condition.type for condition in conditions}
    for kind, tree in after.items():
        old = before.get(kind)
        if (kind in ours or keep_times) and old is not None and old.get("status") == tree.get("status"):
            tree["lastTransitionTime"] = old.get("lastTransitionTime", tree["lastTransitionTime"])
    # In the order they have, so that a condition's turn makes no difference.
    order = [kind for kind in before if kind in after] + [kind for kind in after if kind not in before]
    made["conditions"] = [after[kind] for kind in order]
    return made


def ready_condition(ready: bool, *, reason: str = "", message: str = "") -> Condition:
    """The ``Ready`` condition as of now."""
    return Condition(
        type=READY,
        status="True" if ready else "False",
        reason=reason or ("Ready" if ready else "NotReady"),
        message=message,
        last_transition_time=clock.now().replace(microsecond=0),
    )


def status_patch(live: JsonObject | None, status: JsonObject, shape: StatusShape, uid: str) -> list[JsonObject]:
    """The JSON patch that makes ``live`` hold ``status`` in all fields of its type; empty if it does.

    Fields that the type does not have are left alone.
    """
    guard: JsonObject = {"op": "test", "path": "/metadata/uid", "value": uid}
    if not live:
        return [guard, {"op": "add", "path": "/status", "value": status}] if status else []
    operations: list[JsonObject] = []
    for name in shape.fields:
        wanted: JsonValue = status.get(name)
        if wanted is None:
            if name in live:
                operations.append({"op": "remove", "path": f"/status/{name}"})
        elif live.get(name) != wanted:
            operations.append({"op": "add", "path": f"/status/{name}", "value": wanted})
    return [guard, *operations] if operations else []
