"""What ``after=`` waits for."""

from __future__ import annotations

from typing import Any

import pytest

from kubewright.runtime import is_ready


@pytest.mark.parametrize(
    ("resource", "live", "ready"),
    [
        ("configmaps", {}, True),
        (
            "deployments.apps",
            {"spec": {"replicas": 2}, "status": {"availableReplicas": 2, "updatedReplicas": 2}},
            True,
        ),
        (
            "deployments.apps",
            {"spec": {"replicas": 2}, "status": {"availableReplicas": 2, "updatedReplicas": 1}},
            False,
        ),
        ("deployments.apps", {"spec": {"replicas": 1}}, False),
        ("deployments.apps", {"spec": {"replicas": 0}, "status": {"observedGeneration": 1}}, True),
        ("replicasets.apps", {"spec": {"replicas": 1}, "status": {"availableReplicas": 1}}, True),
        ("daemonsets.apps", {"status": {"numberAvailable": 1, "desiredNumberScheduled": 2}}, False),
        ("jobs.batch", {"status": {"conditions": [{"type": "Complete", "status": "True"}]}}, True),
        ("jobs.batch", {"status": {"active": 1}}, False),
        ("persistentvolumeclaims", {"status": {"phase": "Pending"}}, False),
        ("persistentvolumeclaims", {"status": {"phase": "Bound"}}, True),
        ("pods", {"status": {"conditions": [{"type": "Ready", "status": "False"}]}}, False),
        ("notes.example.com", {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}, True),
    ],
)
def test_ready(resource: str, live: dict[str, Any], ready: bool) -> None:
    assert is_ready(resource, {"metadata": {}, **live}) == ready


def test_a_status_of_an_earlier_generation_says_nothing() -> None:
    status = {"availableReplicas": 1, "updatedReplicas": 1, "observedGeneration": 1}
    live = {"metadata": {"generation": 2}, "spec": {"replicas": 1}, "status": status}
    assert not is_ready("deployments.apps", live)
