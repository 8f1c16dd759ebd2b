"""A cluster without machines: the embedded server, the built-in controllers, simulated Pods."""

from kubewright.cluster.cluster import Cluster
from kubewright.cluster.pods import NODE, PodStages
from kubewright.cluster.writing import SIMULATED

__all__ = ["NODE", "SIMULATED", "Cluster", "PodStages"]
