"""The API client: kubeconfig, authentication, discovery, verbs, watches."""

from kubewright.client.client import Client
from kubewright.client.config import ClientConfig, connect
from kubewright.client.discovery import Discovery
from kubewright.client.kubeconfig import in_cluster, load_config
from kubewright.client.lists import ListResult, Page
from kubewright.client.options import (
    FieldValidation,
    ListOptions,
    PatchType,
    PropagationPolicy,
    WatchOptions,
    WriteOptions,
)
from kubewright.client.retries import Retries
from kubewright.client.status import error_from_response
from kubewright.client.subresources import Scale, Token
from kubewright.client.warnings import collect_warnings
from kubewright.client.watch import INITIAL_EVENTS_END, Watch, WatchEvent

__all__ = [
    "INITIAL_EVENTS_END",
    "Client",
    "ClientConfig",
    "Discovery",
    "FieldValidation",
    "ListOptions",
    "ListResult",
    "Page",
    "PatchType",
    "PropagationPolicy",
    "Retries",
    "Scale",
    "Token",
    "Watch",
    "WatchEvent",
    "WatchOptions",
    "WriteOptions",
    "collect_warnings",
    "connect",
    "error_from_response",
    "in_cluster",
    "load_config",
]
