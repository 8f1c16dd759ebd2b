"""Conditions: the equivalent of apimachinery's ``meta.SetStatusCondition`` and its kin."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal, TypeAlias

from kubewright.objects.meta import Condition

ConditionStatus: TypeAlias = Literal["True", "False", "Unknown"]


def find_condition(conditions: Iterable[Condition] | None, type: str) -> Condition | None:  # noqa: A002
    """The condition of this type, or None."""
    return next((condition for condition in conditions or () if condition.type == type), None)


def is_true(conditions: Iterable[Condition] | None, type: str) -> bool:  # noqa: A002
    """Whether the condition of this type is there and ``True``."""
    found = find_condition(conditions, type)
    return found is not None and found.status == "True"


def set_condition(
    conditions: list[Condition],
    *,
    type: str,  # noqa: A002
    status: ConditionStatus,
    reason: str,
    now: datetime,
    message: str = "",
    observed_generation: int | None = None,
) -> bool:
    """Set the condition of this type in ``conditions``; True if that changed anything.

    ``last_transition_time`` becomes ``now``, in whole seconds as the API holds it, only where ``status`` changes.
    """
    made = Condition(
        type=type,
        status=status,
        reason=reason,
        message=message,
        last_transition_time=now.replace(microsecond=0),
        observed_generation=observed_generation,
    )
    for index, old in enumerate(conditions):
        if old.type != type:
            continue
        if old.status == status:
            made.last_transition_time = old.last_transition_time
        if made.observed_generation is None:
            made.observed_generation = old.observed_generation
        if old == made:
            return False
        conditions[index] = made
        return True
    conditions.append(made)
    return True
