"""What runs the operator in a cluster: its ServiceAccount and its Deployment."""

from __future__ import annotations

from typing import Final

from kubewright.objects import JsonObject
from kubewright.runtime import Operator

REPLACE_IMAGE: Final = "REPLACE_IMAGE"
"""Stands where the image belongs, if none was given."""


def service_account(operator: Operator) -> JsonObject:
    """The identity the operator works under."""
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": operator.name}}


def deployment(operator: Operator, *, image: str = REPLACE_IMAGE, all_namespaces: bool = False) -> JsonObject:
    """The operator's Deployment: one replica that fits Pod Security's restricted profile, its root read-only."""
    labels = {"app.kubernetes.io/name": operator.name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": operator.name, "labels": labels},
        "spec": {
            "replicas": 1,
            # The new one fills its caches while the old one still works, and takes over when that has ended.
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "serviceAccountName": operator.name,
                    "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
                    "containers": [
                        {
                            "name": operator.name,
                            "image": image,
                            "command": ["kubewright", "run"],
                            "env": [
                                _watched(operator, all_namespaces=all_namespaces),
                                {"name": "POD_NAME", **_from("metadata.name")},
                                {"name": "POD_NAMESPACE", **_from("metadata.namespace")},
                            ],
                            "ports": [{"name": "probes", "containerPort": 8081}],
                            # A standby is ready as soon as its caches are full.
                            "readinessProbe": {
                                "httpGet": {"path": "/readyz", "port": "probes"},
                                "periodSeconds": 5,
                            },
                            "livenessProbe": {
                                "httpGet": {"path": "/healthz", "port": "probes"},
                                "initialDelaySeconds": 15,
                                "periodSeconds": 20,
                                "timeoutSeconds": 5,
                            },
                            "resources": {
                                "requests": {"cpu": "10m", "memory": "64Mi"},
                                "limits": {"memory": "256Mi"},
                            },
                            "securityContext": {
                                "allowPrivilegeEscalation": False,
                                "capabilities": {"drop": ["ALL"]},
                                "readOnlyRootFilesystem": True,
                            },
                        }
                    ],
                },
            },
        },
    }


def _watched(operator: Operator, *, all_namespaces: bool) -> JsonObject:
    if all_namespaces:
        return {"name": "WATCH_NAMESPACE", "value": ""}
    if operator.namespaces:
        return {"name": "WATCH_NAMESPACE", "value": ",".join(operator.namespaces)}
    return {"name": "WATCH_NAMESPACE", **_from("metadata.namespace")}


def _from(path: str) -> JsonObject:
    return {"valueFrom": {"fieldRef": {"fieldPath": path}}}
