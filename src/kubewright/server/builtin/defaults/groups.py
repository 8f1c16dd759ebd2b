"""Defaults of the other groups' types, by the name of the Go type they belong to."""

from __future__ import annotations

from collections.abc import Callable

from kubewright.objects import JsonObject
from kubewright.server.builtin.defaults.core import fill, replacing_zero, setting

_RBAC = "rbac.authorization.k8s.io"


def _deployment(obj: JsonObject) -> None:
    spec = obj["spec"]
    fill(spec, replicas=1, revisionHistoryLimit=10, progressDeadlineSeconds=600)
    strategy = spec["strategy"]
    fill(strategy, type="RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        fill(strategy.setdefault("rollingUpdate", {}), maxUnavailable="25%", maxSurge="25%")


def _daemon_set(obj: JsonObject) -> None:
    spec = obj["spec"]
    fill(spec, revisionHistoryLimit=10)
    strategy = spec["updateStrategy"]
    fill(strategy, type="RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        fill(strategy.setdefault("rollingUpdate", {}), maxUnavailable=1, maxSurge=0)


def _stateful_set(obj: JsonObject) -> None:
    spec = obj["spec"]
    fill(spec, podManagementPolicy="OrderedReady", replicas=1, revisionHistoryLimit=10)
    strategy = spec["updateStrategy"]
    if "type" not in strategy:
        fill(strategy, type="RollingUpdate", rollingUpdate={})
    if strategy["type"] == "RollingUpdate" and "rollingUpdate" in strategy:
        fill(strategy["rollingUpdate"], partition=0, maxUnavailable=1)
    for claim in spec.get("volumeClaimTemplates") or ():
        fill(claim, apiVersion="v1", kind="PersistentVolumeClaim")
    policy = spec.setdefault("persistentVolumeClaimRetentionPolicy", {})
    fill(policy, whenDeleted="Retain", whenScaled="Retain")


def _job(obj: JsonObject) -> None:
    spec = obj["spec"]
    if "completions" not in spec and "parallelism" not in spec:
        spec["completions"] = 1
    fill(
        spec,
        parallelism=1,
        backoffLimit=2**31 - 1 if "backoffLimitPerIndex" in spec else 6,
        completionMode="NonIndexed",
        suspend=False,
        podReplacementPolicy="Failed" if "podFailurePolicy" in spec else "TerminatingOrFailed",
        manualSelector=False,
    )
    if labels := spec["template"]["metadata"].get("labels"):
        fill(obj["metadata"], labels=dict(labels))


def _network_policy(obj: JsonObject) -> None:
    spec = obj["spec"]
    fill(spec, policyTypes=["Ingress", "Egress"] if spec.get("egress") else ["Ingress"])


def _ingress_class(obj: JsonObject) -> None:
    if "parameters" in obj["spec"]:
        fill(obj["spec"]["parameters"], scope="Cluster")


def _subject(obj: JsonObject) -> None:
    if obj.get("kind") in ("User", "Group"):
        fill(obj, apiGroup=_RBAC)


def _group_of_role(obj: JsonObject) -> None:
    if not obj["roleRef"].get("apiGroup"):
        obj["roleRef"]["apiGroup"] = _RBAC


def _autoscaler(obj: JsonObject) -> None:
    spec = obj["spec"]
    target = {"type": "Utilization", "averageUtilization": 80}
    fill(spec, minReplicas=1, metrics=[{"type": "Resource", "resource": {"name": "cpu", "target": target}}])
    behavior = spec.get("behavior")
    if behavior is not None:
        up = [
            {"type": "Pods", "value": 4, "periodSeconds": 15},
            {"type": "Percent", "value": 100, "periodSeconds": 15},
        ]
        down = [{"type": "Percent", "value": 100, "periodSeconds": 15}]
        rules = behavior.setdefault("scaleUp", {})
        fill(rules, stabilizationWindowSeconds=0, selectPolicy="Max", policies=up)
        fill(behavior.setdefault("scaleDown", {}), selectPolicy="Max", policies=down)


def _exact_device(obj: JsonObject) -> None:
    fill(obj, allocationMode="ExactCount")
    if obj["allocationMode"] == "ExactCount":
        fill(obj, count=1)


def _webhook(obj: JsonObject) -> None:
    fill(
        obj,
        failurePolicy="Fail",
        matchPolicy="Equivalent",
        namespaceSelector={},
        objectSelector={},
        timeoutSeconds=10,
    )


def _mutating_webhook(obj: JsonObject) -> None:
    _webhook(obj)
    fill(obj, reinvocationPolicy="Never")


def _crd(obj: JsonObject) -> None:
    spec = obj["spec"]
    names = spec["names"]
    fill(names, singular=names.get("kind", "").lower(), listKind=names.get("kind", "") + "List")
    fill(spec, conversion={"strategy": "None"})


GROUPS: dict[str, Callable[[JsonObject], None]] = {
    "apps/v1.Deployment": _deployment,
    "apps/v1.DaemonSet": _daemon_set,
    "apps/v1.StatefulSet": _stateful_set,
    "apps/v1.ReplicaSet": lambda obj: fill(obj["spec"], replicas=1),
    "batch/v1.Job": _job,
    "batch/v1.CronJobSpec": setting(
        concurrencyPolicy="Allow", suspend=False, successfulJobsHistoryLimit=3, failedJobsHistoryLimit=1
    ),
    "batch/v1.PodFailurePolicyOnPodConditionsPattern": setting(status="True"),
    "networking/v1.NetworkPolicyPort": setting(protocol="TCP"),
    "networking/v1.NetworkPolicy": _network_policy,
    "networking/v1.IngressClass": _ingress_class,
    "rbac/v1.ClusterRoleBinding": _group_of_role,
    "rbac/v1.RoleBinding": _group_of_role,
    "rbac/v1.Subject": _subject,
    "discovery/v1.EndpointPort": setting(name="", protocol="TCP"),
    "storage/v1.StorageClass": setting(reclaimPolicy="Delete", volumeBindingMode="Immediate"),
    "storage/v1.CSIDriverSpec": setting(
        attachRequired=True,
        podInfoOnMount=False,
        storageCapacity=False,
        fsGroupPolicy="ReadWriteOnceWithFSType",
        volumeLifecycleModes=["Persistent"],
        requiresRepublish=False,
        seLinuxMount=False,
        preventPodSchedulingIfMissing=False,
    ),
    "scheduling/v1.PriorityClass": setting(preemptionPolicy="PreemptLowerPriority"),
    "autoscaling/v2.HorizontalPodAutoscaler": _autoscaler,
    "autoscaling/v1.HorizontalPodAutoscaler": lambda obj: fill(
        obj["spec"], minReplicas=1, targetCPUUtilizationPercentage=80
    ),
    "admissionregistration/v1.ValidatingWebhook": _webhook,
    "admissionregistration/v1.MutatingWebhook": _mutating_webhook,
    "admissionregistration/v1.RuleWithOperations": setting(scope="*"),
    "admissionregistration/v1.NamedRuleWithOperations": setting(scope="*"),
    "admissionregistration/v1.ServiceReference": setting(port=443),
    "admissionregistration/v1.ValidatingAdmissionPolicySpec": setting(failurePolicy="Fail"),
    "admissionregistration/v1.MutatingAdmissionPolicySpec": setting(failurePolicy="Fail"),
    "admissionregistration/v1.MatchResources": setting(
        matchPolicy="Equivalent", namespaceSelector={}, objectSelector={}
    ),
    "apiregistration/v1.ServiceReference": setting(port=443),
    "apiextensions/v1.ServiceReference": setting(port=443),
    "apiextensions/v1.CustomResourceDefinition": _crd,
    "flowcontrol/v1.FlowSchemaSpec": replacing_zero(matchingPrecedence=1000),
    "flowcontrol/v1.ExemptPriorityLevelConfiguration": setting(nominalConcurrencyShares=0, lendablePercent=0),
    "flowcontrol/v1.LimitedPriorityLevelConfiguration": setting(nominalConcurrencyShares=30, lendablePercent=0),
    "flowcontrol/v1.QueuingConfiguration": replacing_zero(handSize=8, queues=64, queueLengthLimit=50),
    "resource/v1.ExactDeviceRequest": _exact_device,
    "resource/v1.DeviceSubRequest": _exact_device,
    "resource/v1.DeviceToleration": setting(operator="Equal"),
}
