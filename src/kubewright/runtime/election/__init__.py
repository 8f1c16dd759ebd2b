"""Which of several replicas may work."""

from kubewright.runtime.election.candidacy import LeaseElection
from kubewright.runtime.election.fence import FencedTransport
from kubewright.runtime.election.settings import LeaderElection
from kubewright.runtime.election.tenure import Election, Tenure

__all__ = ["Election", "FencedTransport", "LeaderElection", "LeaseElection", "Tenure"]
