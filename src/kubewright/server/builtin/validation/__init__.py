"""What the API server refuses in built-in kinds, in its words; other kinds are checked by their schema alone."""

from __future__ import annotations

from kubewright.server.builtin.strategy import Validate, ValidateUpdate
from kubewright.server.builtin.validation import others, pods, services, webhooks, workloads

__all__ = ["VALIDATE", "VALIDATE_UPDATE"]

VALIDATE: dict[str, Validate] = {
    "pods": pods.pod,
    "services": services.service,
    "deployments.apps": workloads.deployment,
    "replicasets.apps": workloads.replica_set,
    "statefulsets.apps": workloads.stateful_set,
    "daemonsets.apps": workloads.daemon_set,
    "jobs.batch": workloads.job,
    "cronjobs.batch": workloads.cron_job,
    "configmaps": others.config_map,
    "secrets": others.secret,
    "rolebindings.rbac.authorization.k8s.io": others.role_binding,
    "clusterrolebindings.rbac.authorization.k8s.io": others.role_binding,
    "roles.rbac.authorization.k8s.io": others.role,
    "clusterroles.rbac.authorization.k8s.io": others.role,
    "persistentvolumeclaims": others.claim,
    "poddisruptionbudgets.policy": others.disruption_budget,
    "horizontalpodautoscalers.autoscaling": others.autoscaler,
    "leases.coordination.k8s.io": others.lease,
    "events": others.event,
    "ingresses.networking.k8s.io": others.ingress,
    "mutatingwebhookconfigurations.admissionregistration.k8s.io": webhooks.webhook_configuration,
    "validatingwebhookconfigurations.admissionregistration.k8s.io": webhooks.webhook_configuration,
}
VALIDATE_UPDATE: dict[str, ValidateUpdate] = {
    "pods": pods.pod_update,
    "services": services.service_update,
    "deployments.apps": workloads.selector_stays,
    "replicasets.apps": workloads.selector_stays,
    "daemonsets.apps": workloads.selector_stays,
    "statefulsets.apps": workloads.stateful_set_update,
    "jobs.batch": workloads.job_update,
    "configmaps": others.immutable_data,
    "secrets": others.immutable_data,
    "rolebindings.rbac.authorization.k8s.io": others.role_stays,
    "clusterrolebindings.rbac.authorization.k8s.io": others.role_stays,
    "persistentvolumeclaims": others.claim_update,
}
