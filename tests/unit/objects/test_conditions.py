from datetime import UTC, datetime, timedelta

from kubewright.objects import Condition, find_condition, is_true, set_condition

NOON = datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)
LATER = NOON + timedelta(minutes=5)


def test_the_transition_time_changes_only_with_the_status() -> None:
    conditions: list[Condition] = []
    assert set_condition(conditions, type="Ready", status="False", reason="Starting", now=NOON)
    first = find_condition(conditions, "Ready")
    assert first is not None
    assert first.last_transition_time == NOON.replace(microsecond=0)

    assert set_condition(conditions, type="Ready", status="False", reason="Pulling", message="nginx", now=LATER)
    assert conditions[0].last_transition_time == NOON.replace(microsecond=0)
    assert conditions[0].reason == "Pulling"

    assert set_condition(conditions, type="Ready", status="True", reason="Up", now=LATER, observed_generation=3)
    assert conditions[0].last_transition_time == LATER.replace(microsecond=0)
    assert is_true(conditions, "Ready")
    assert len(conditions) == 1


def test_setting_the_same_again_changes_nothing() -> None:
    conditions: list[Condition] = []
    set_condition(conditions, type="Ready", status="True", reason="Up", now=NOON, observed_generation=1)
    before = list(conditions)
    assert not set_condition(conditions, type="Ready", status="True", reason="Up", now=LATER, observed_generation=1)
    assert conditions == before
    assert set_condition(conditions, type="Ready", status="True", reason="Up", now=LATER, observed_generation=2)


def test_absence_is_not_true() -> None:
    assert not is_true(None, "Ready")
    assert find_condition([], "Ready") is None
