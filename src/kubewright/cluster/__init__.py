"""A cluster without machines: the embedded server, the built-in controllers, simulated Pods."""

from kubewright.cluster.cluster import Cluster
from kubewright.cluster.nodes import NODE
from kubewright.cluster.simulation import Fault, PodStages, SimulatedPods
from kubewright.cluster.writing import SIMULATED

__all__ = ["NODE", "SIMULATED", "Cluster", "Fault", "PodStages", "SimulatedPods"]
