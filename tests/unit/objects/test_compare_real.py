"""What a real API server makes of an object it is given is no reason to write it again."""

from pathlib import Path

import pytest

from kubewright.client import connect, load_config
from kubewright.kinds import apps_v1 as apps
from kubewright.kinds import autoscaling_v2 as autoscaling
from kubewright.kinds import batch_v1 as batch
from kubewright.kinds import core_v1 as core
from kubewright.kinds import networking_v1 as networking
from kubewright.kinds import policy_v1 as policy
from kubewright.kinds import rbac_v1 as rbac
from kubewright.objects import JsonObject, Object, subset_differences

pytestmark = pytest.mark.real

LABELS = {"app": "x", "app.kubernetes.io/name": "x"}
POD: JsonObject = {
    "metadata": {"labels": LABELS},
    "spec": {
        "containers": [
            {
                "name": "web",
                "image": "nginx",
                "ports": [{"containerPort": 80}, {"containerPort": 53, "protocol": "UDP", "name": "dns"}],
                "env": [
                    {"name": "EMPTY", "value": ""},
                    {"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
                    {"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
                    {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
                ],
                "resources": {
                    "limits": {"cpu": "0.5", "memory": "1024Mi"},
                    "requests": {"cpu": "1e-1", "memory": "0.5Gi"},
                },
                "readinessProbe": {"httpGet": {"port": 80}},
                "livenessProbe": {"tcpSocket": {"port": "dns"}, "periodSeconds": 10},
                "volumeMounts": [{"name": "scratch", "mountPath": "/tmp"}],
                "securityContext": {"capabilities": {"drop": ["ALL"]}},
            }
        ],
        "volumes": [
            {"name": "scratch", "emptyDir": {}},
            {"name": "config", "configMap": {"name": "c"}},
            {"name": "all", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}},
        ],
        "imagePullSecrets": [{"name": "pull"}],
        "tolerations": [{"key": "a", "operator": "Exists"}],
        "topologySpreadConstraints": [
            {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": {}}
        ],
    },
}
TARGET = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "x"}
SELECTOR = {"matchLabels": LABELS}
CLAIM = {
    "metadata": {"name": "data"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1024Mi"}}},
}
JOB_POD = {**POD, "spec": {**POD["spec"], "restartPolicy": "Never"}}
OBJECTS: list[tuple[type[Object], JsonObject]] = [
    (apps.Deployment, {"spec": {"selector": SELECTOR, "template": POD}}),
    (apps.Deployment, {"spec": {"replicas": 0, "selector": SELECTOR, "template": POD, "strategy": {}}}),
    (apps.DaemonSet, {"spec": {"selector": SELECTOR, "template": POD}}),
    (
        apps.StatefulSet,
        {"spec": {"serviceName": "x", "selector": SELECTOR, "template": POD, "volumeClaimTemplates": [CLAIM]}},
    ),
    (batch.Job, {"spec": {"template": JOB_POD}}),
    (batch.CronJob, {"spec": {"schedule": "* * * * *", "jobTemplate": {"spec": {"template": JOB_POD}}}}),
    (
        core.Service,
        {"spec": {"selector": LABELS, "ports": [{"port": 80, "targetPort": "http"}], "type": "NodePort"}},
    ),
    (core.Service, {"spec": {"clusterIP": "None", "ports": [{"name": "a", "port": 1}, {"name": "b", "port": 2}]}}),
    (core.ConfigMap, {"data": {"a": "", "b": "x"}, "immutable": True}),
    (core.Secret, {"stringData": {"a": "b"}, "data": {"c": "ZA=="}}),
    (core.PersistentVolumeClaim, {"spec": CLAIM["spec"]}),
    (core.ServiceAccount, {"automountServiceAccountToken": False}),
    (
        networking.Ingress,
        {
            "spec": {
                "rules": [
                    {
                        "host": "a.example.com",
                        "http": {
                            "paths": [
                                {
                                    "path": "/",
                                    "pathType": "Prefix",
                                    "backend": {"service": {"name": "x", "port": {"number": 80}}},
                                }
                            ]
                        },
                    }
                ]
            }
        },
    ),
    (networking.NetworkPolicy, {"spec": {"podSelector": {}, "ingress": [{"ports": [{"port": 80}]}]}}),
    (policy.PodDisruptionBudget, {"spec": {"minAvailable": "50%", "selector": SELECTOR}}),
    (
        autoscaling.HorizontalPodAutoscaler,
        {
            "spec": {
                "maxReplicas": 3,
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "x"},
            }
        },
    ),
    (rbac.Role, {"rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]}),
    (
        rbac.RoleBinding,
        {
            "subjects": [{"kind": "ServiceAccount", "name": "x"}],
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "x"},
        },
    ),
]


@pytest.mark.parametrize(("kind", "said"), OBJECTS, ids=lambda value: getattr(value, "__name__", ""))
async def test_what_it_adds_is_no_difference(real_kubeconfig: Path, kind: type[Object], said: JsonObject) -> None:
    client = connect(load_config(str(real_kubeconfig)))
    try:
        desired = {
            "apiVersion": kind.api_version,
            "kind": kind.kind,
            **said,
            "metadata": {"name": "compared", "namespace": "default", "labels": LABELS},
        }
        live = await client.create(desired, dry_run=True)
        assert subset_differences(desired, live.to_dict(), kind) == []
    finally:
        await client.close()
