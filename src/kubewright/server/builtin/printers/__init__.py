"""The rows of Tables, as the API server prints built-in kinds; other kinds show name and creation time."""

from __future__ import annotations

from collections.abc import Callable

from kubewright.objects import JsonObject
from kubewright.server.builtin.printers import others, pods, workloads
from kubewright.server.registry import Cell

__all__ = ["PRINTERS"]

PRINTERS: dict[str, Callable[[JsonObject], list[Cell]]] = {
    "pods": pods.pod,
    "deployments.apps": workloads.deployment,
    "replicasets.apps": workloads.replica_set,
    "replicationcontrollers": workloads.replication_controller,
    "statefulsets.apps": workloads.stateful_set,
    "daemonsets.apps": workloads.daemon_set,
    "jobs.batch": workloads.job,
    "cronjobs.batch": workloads.cron_job,
    "podtemplates": workloads.pod_template,
    "controllerrevisions.apps": workloads.controller_revision,
    "poddisruptionbudgets.policy": workloads.pod_disruption_budget,
    "horizontalpodautoscalers.autoscaling": workloads.autoscaler,
    "configmaps": others.config_map,
    "secrets": others.secret,
    "namespaces": others.namespace,
    "services": others.service,
    "endpoints": others.endpoints,
    "endpointslices.discovery.k8s.io": others.endpoint_slice,
    "events": others.event,
    "events.events.k8s.io": others.event,
    "nodes": others.node,
    "serviceaccounts": others.name_and_age,
    "persistentvolumeclaims": others.claim,
    "persistentvolumes": others.volume,
    "ingresses.networking.k8s.io": others.ingress,
    "ingressclasses.networking.k8s.io": others.ingress_class,
    "networkpolicies.networking.k8s.io": others.network_policy,
    "rolebindings.rbac.authorization.k8s.io": others.binding,
    "clusterrolebindings.rbac.authorization.k8s.io": others.binding,
    "leases.coordination.k8s.io": others.lease,
    "mutatingwebhookconfigurations.admissionregistration.k8s.io": others.webhook_configuration,
    "validatingwebhookconfigurations.admissionregistration.k8s.io": others.webhook_configuration,
    "priorityclasses.scheduling.k8s.io": others.priority_class,
    "storageclasses.storage.k8s.io": others.storage_class,
    "runtimeclasses.node.k8s.io": others.runtime_class,
    "deviceclasses.resource.k8s.io": others.name_and_age,
    "resourceclaimtemplates.resource.k8s.io": others.name_and_age,
    "resourcequotas": others.resource_quota,
}
"""By group resource, as RBAC names it."""
