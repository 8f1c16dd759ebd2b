"""What each built-in kind does: one line for each, read by the catalog."""

from __future__ import annotations

from kubewright.server.builtin.printers import PRINTERS
from kubewright.server.builtin.services import ServiceStatusStrategy, ServiceStrategy
from kubewright.server.builtin.strategy import (
    Behaviour,
    BuiltinStatusStrategy,
    BuiltinStrategy,
    DeploymentStatusStrategy,
    PodStatusStrategy,
)
from kubewright.server.builtin.validation import VALIDATE, VALIDATE_UPDATE
from kubewright.server.builtin.workloads import (
    ClaimStrategy,
    DaemonSetStrategy,
    JobStrategy,
    NamespaceFinalizeStrategy,
    NamespaceStrategy,
    PersistentVolumeStrategy,
    PodStrategy,
    SecretStrategy,
)
from kubewright.server.names import dns_label_problems, dns_subdomain_problems
from kubewright.server.names import path_segment_problems as path_names

STRATEGIES: dict[str, type[BuiltinStrategy]] = {
    "pods": PodStrategy,
    "services": ServiceStrategy,
    "namespaces": NamespaceStrategy,
    "secrets": SecretStrategy,
    "persistentvolumeclaims": ClaimStrategy,
    "persistentvolumes": PersistentVolumeStrategy,
    "jobs.batch": JobStrategy,
    "daemonsets.apps": DaemonSetStrategy,
}

SUBRESOURCES: dict[str, type[BuiltinStatusStrategy]] = {
    "pods/status": PodStatusStrategy,
    "services/status": ServiceStatusStrategy,
    "deployments.apps/status": DeploymentStatusStrategy,
    "namespaces/finalize": NamespaceFinalizeStrategy,
}
"""Of subresources that write the object itself; ``status`` of other kinds is a plain status."""

_GENERATION = {
    "deployments.apps": ("spec", "metadata.annotations"),
    "pods": ("spec",),
    "priorityclasses.scheduling.k8s.io": ("value",),
    "endpointslices.discovery.k8s.io": ("endpoints", "ports", "addressType", "metadata.labels"),
    "podtemplates": ("template",),
    "mutatingwebhookconfigurations.admissionregistration.k8s.io": ("webhooks",),
    "validatingwebhookconfigurations.admissionregistration.k8s.io": ("webhooks",),
} | dict.fromkeys(
    [
        "ingressclasses.networking.k8s.io",
        "networkpolicies.networking.k8s.io",
        "ingresses.networking.k8s.io",
        "poddisruptionbudgets.policy",
        "resourceslices.resource.k8s.io",
        "deviceclasses.resource.k8s.io",
        "devicetaintrules.resource.k8s.io",
        "horizontalpodautoscalers.autoscaling",
        "flowschemas.flowcontrol.apiserver.k8s.io",
        "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io",
        "daemonsets.apps",
        "statefulsets.apps",
        "replicasets.apps",
        "jobs.batch",
        "cronjobs.batch",
        "replicationcontrollers",
        "validatingadmissionpolicies.admissionregistration.k8s.io",
        "mutatingadmissionpolicies.admissionregistration.k8s.io",
        "validatingadmissionpolicybindings.admissionregistration.k8s.io",
        "mutatingadmissionpolicybindings.admissionregistration.k8s.io",
    ],
    ("spec",),
)

_SELECTABLE = {
    "pods": (
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "spec.hostNetwork",
        "status.phase",
        "status.podIP",
        "status.nominatedNodeName",
    ),
    "nodes": ("spec.unschedulable",),
    "replicationcontrollers": ("status.replicas",),
    "replicasets.apps": ("status.replicas",),
    "namespaces": ("status.phase",),
    "secrets": ("type",),
    "services": ("spec.clusterIP", "spec.type"),
    "jobs.batch": ("status.successful",),
    "events": (
        "involvedObject.kind",
        "involvedObject.namespace",
        "involvedObject.name",
        "involvedObject.uid",
        "involvedObject.apiVersion",
        "involvedObject.resourceVersion",
        "involvedObject.fieldPath",
        "reason",
        "reportingComponent",
        "source.component",
        "type",
    ),
}

_CONDITIONAL_UPDATE = frozenset(
    {
        "runtimeclasses.node.k8s.io",
        "poddisruptionbudgets.policy",
        "leases.coordination.k8s.io",
        "csidrivers.storage.k8s.io",
        "csinodes.storage.k8s.io",
        "csistoragecapacities.storage.k8s.io",
        "volumeattachments.storage.k8s.io",
        "validatingadmissionpolicies.admissionregistration.k8s.io",
        "mutatingadmissionpolicies.admissionregistration.k8s.io",
        "validatingadmissionpolicybindings.admissionregistration.k8s.io",
        "mutatingadmissionpolicybindings.admissionregistration.k8s.io",
        "mutatingwebhookconfigurations.admissionregistration.k8s.io",
        "validatingwebhookconfigurations.admissionregistration.k8s.io",
        "customresourcedefinitions.apiextensions.k8s.io",
        "apiservices.apiregistration.k8s.io",
        "clustertrustbundles.certificates.k8s.io",
        "podcertificaterequests.certificates.k8s.io",
        "devicetaintrules.resource.k8s.io",
        "storageversionmigrations.storagemigration.k8s.io",
    }
)
_RBAC_PLURALS = ("roles", "clusterroles", "rolebindings", "clusterrolebindings")
_RBAC = tuple(f"{plural}.rbac.authorization.k8s.io" for plural in _RBAC_PLURALS)
_CREATE_ON_UPDATE = frozenset(
    {
        *_RBAC,
        "runtimeclasses.node.k8s.io",
        "leases.coordination.k8s.io",
        "limitranges",
        "events",
        "events.events.k8s.io",
        "services",
        "endpoints",
    }
)
_RETURNS_DELETED = frozenset(
    {
        "resourceclaimtemplates.resource.k8s.io",
        "resourceslices.resource.k8s.io",
        "resourceclaims.resource.k8s.io",
        "deviceclasses.resource.k8s.io",
        "csidrivers.storage.k8s.io",
        "storageclasses.storage.k8s.io",
        "volumeattachments.storage.k8s.io",
        "csinodes.storage.k8s.io",
        "volumeattributesclasses.storage.k8s.io",
        "resourcequotas",
        "persistentvolumes",
        "serviceaccounts",
        "persistentvolumeclaims",
        "namespaces",
        "pods",
        "services",
        "podtemplates",
    }
)
_NAMES = {
    "namespaces": dns_label_problems,
    "services": dns_label_problems,
    "statefulsets.apps": dns_label_problems,
} | dict.fromkeys(_RBAC, path_names)


def behaviour_of(group_resource: str, *, has_status: bool) -> Behaviour:
    """What the kind does."""
    return Behaviour(
        name_problems=_NAMES.get(group_resource, dns_subdomain_problems),
        generation=_GENERATION.get(group_resource, ()),
        has_status=has_status,
        validate=VALIDATE.get(group_resource),
        validate_update=VALIDATE_UPDATE.get(group_resource),
        changes_first=group_resource == "daemonsets.apps",
        selectable=_SELECTABLE.get(group_resource, ()),
        rows=PRINTERS.get(group_resource),
        unconditional_update=group_resource not in _CONDITIONAL_UPDATE,
        create_on_update=group_resource in _CREATE_ON_UPDATE,
        orphans=group_resource in ("jobs.batch", "replicationcontrollers"),
        returns_deleted=group_resource in _RETURNS_DELETED,
        collects_garbage=group_resource not in ("events", "events.events.k8s.io"),
    )
