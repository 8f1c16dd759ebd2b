"""Admission webhooks: MutatingWebhookConfigurations and ValidatingWebhookConfigurations, matched and called."""

from kubewright.server.admission_webhooks.plugins import MutatingWebhooks, ValidatingWebhooks

__all__ = ["MutatingWebhooks", "ValidatingWebhooks"]
