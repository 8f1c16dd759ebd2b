"""Objects that would change how the server behaves, had it the machinery: refused rather than quietly ignored."""

from __future__ import annotations

from kubewright.server import status
from kubewright.server.admission import Attributes, Plugin

_RESOURCES = frozenset(
    {
        "apiservices.apiregistration.k8s.io",
        "mutatingadmissionpolicies.admissionregistration.k8s.io",
        "mutatingadmissionpolicybindings.admissionregistration.k8s.io",
        "validatingadmissionpolicies.admissionregistration.k8s.io",
        "validatingadmissionpolicybindings.admissionregistration.k8s.io",
    }
)
_CRDS = "customresourcedefinitions.apiextensions.k8s.io"


class Unenforced(Plugin):
    """Answers 501 where storing an object would be a plausible success."""

    async def admit(self, attributes: Attributes) -> None:
        """Refuse what would have no effect."""
        obj = attributes.object
        if obj is None:
            return
        resource = attributes.resource.group_resource
        if resource in _RESOURCES:
            raise status.not_implemented(f"{resource}: they would be stored, but nothing would act on them")
        if resource == _CRDS and (obj["spec"].get("conversion") or {}).get("strategy") == "Webhook":
            raise status.not_implemented("conversion webhooks (spec.conversion.strategy: Webhook)")
