"""Ages and states as kubectl shows them."""

from __future__ import annotations

import pytest

from kubewright.objects import JsonObject
from kubewright.server.builtin.printers.pods import pod
from kubewright.server.builtin.printers.text import duration, selector


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-5, "<invalid>"),
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (125, "2m5s"),
        (660, "11m"),
        (3 * 3600, "3h"),
        (3 * 3600 + 120, "3h2m"),
        (49 * 3600, "2d1h"),
        (10 * 86400, "10d"),
        (3 * 365 * 86400, "3y"),
    ],
)
def test_ages(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


def test_selectors_sort_by_key() -> None:
    expression = {"key": "a", "operator": "In", "values": ["y", "x"]}
    assert selector({"matchLabels": {"b": "c"}, "matchExpressions": [expression]}) == "a in (x,y),b=c"
    assert selector({}) == "<none>"


def state(**status: object) -> str:
    made: JsonObject = {
        "metadata": {"name": "p", "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {"containers": [{"name": "a"}], "initContainers": [{"name": "i"}]},
        "status": status,
    }
    return str(pod(made)[2])


def test_the_status_of_a_pod_sums_up_its_containers() -> None:
    waiting = {"name": "a", "state": {"waiting": {"reason": "ImagePullBackOff"}}, "restartCount": 0}
    assert state(phase="Pending") == "Pending"
    assert state(phase="Pending", containerStatuses=[waiting]) == "ImagePullBackOff"
    init = {"name": "i", "state": {"waiting": {"reason": "PodInitializing"}}, "restartCount": 0}
    assert state(phase="Pending", initContainerStatuses=[init]) == "Init:0/1"
    failed = {"name": "i", "state": {"terminated": {"exitCode": 3}}, "restartCount": 0}
    assert state(phase="Pending", initContainerStatuses=[failed]) == "Init:ExitCode:3"
    done = {"name": "a", "state": {"terminated": {"reason": "Completed", "exitCode": 0}}, "restartCount": 0}
    assert state(phase="Succeeded", containerStatuses=[done]) == "Completed"
