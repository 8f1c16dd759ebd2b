from __future__ import annotations

from typing import Any

import pytest

from kubewright.cli.describe import State, describe


def made(kind: str, **fields: Any) -> dict[str, Any]:
    return {"kind": kind, "metadata": {"name": "x", "generation": 2}, **fields}


def ready(status: str, **more: str) -> list[dict[str, str]]:
    return [{"type": "Ready", "status": status, **more}]


@pytest.mark.parametrize(
    ("obj", "words", "done"),
    [
        (made("ConfigMap"), "there", True),
        (made("AppService", status={"conditions": ready("True")}), "ready", True),
        (made("AppService", status={"conditions": ready("True"), "observedGeneration": 1}), "ready", False),
        (made("AppService", status={"conditions": ready("False", message="0/2 Pods")}), "0/2 Pods", False),
        (made("AppService", status={"conditions": ready("Unknown")}), "not ready", False),
        (made("Deployment", spec={"replicas": 2}), "0/2 ready", False),
        (
            made(
                "Deployment", spec={"replicas": 2}, status={"replicas": 2, "readyReplicas": 2, "updatedReplicas": 2}
            ),
            "2/2 ready",
            True,
        ),
        (
            made(
                "Deployment", spec={"replicas": 2}, status={"replicas": 3, "readyReplicas": 2, "updatedReplicas": 1}
            ),
            "2/2 ready",
            False,
        ),
        (made("ReplicaSet", spec={"replicas": 0}, status={"replicas": 0}), "0/0 ready", True),
        (
            made(
                "Pod",
                spec={"containers": [{"image": "nginx"}]},
                status={"phase": "Running", "conditions": ready("True")},
            ),
            "Running  nginx",
            True,
        ),
        (made("Pod", spec={"containers": [{"image": "nginx"}]}), "Pending  nginx", False),
        (
            made(
                "Pod",
                status={
                    "phase": "Pending",
                    "containerStatuses": [
                        {"state": {"waiting": {"reason": "ErrImagePull", "message": "no such image"}}}
                    ],
                },
            ),
            "ErrImagePull: no such image",
            False,
        ),
        (
            made("Service", spec={"type": "NodePort", "ports": [{"port": 80, "nodePort": 30002}]}),
            "NodePort 80:30002/TCP",
            True,
        ),
        (made("Service", spec={"ports": [{"port": 53, "protocol": "UDP"}]}), "ClusterIP 53/UDP", True),
        (made("PersistentVolumeClaim"), "Pending", False),
        (made("Job", status={"active": 1}), "1 active", False),
        (made("Job", status={"conditions": [{"type": "Complete", "status": "True"}]}), "complete", True),
        (
            made("CustomResourceDefinition", status={"conditions": [{"type": "Established", "status": "True"}]}),
            "established",
            True,
        ),
        (
            made(
                "CustomResourceDefinition",
                status={"conditions": [{"type": "NamesAccepted", "status": "False", "message": "plural taken"}]},
            ),
            "names not accepted: plural taken",
            False,
        ),
    ],
)
def test_states(obj: dict[str, Any], words: str, done: bool) -> None:
    assert describe(obj) == State(words, done)


def test_what_is_being_deleted() -> None:
    obj = made("ConfigMap")
    obj["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert describe(obj) == State("deleting", False)
