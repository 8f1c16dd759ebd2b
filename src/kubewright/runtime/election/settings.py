"""How leaders are elected."""

from __future__ import annotations

from dataclasses import dataclass

from kubewright.errors import UsageError

_JITTER = 1.2


@dataclass(frozen=True, slots=True)
class LeaderElection:
    """The terms of an election; the defaults are client-go's.

    Attributes:
        lease_name: the Lease's; by default the operator's.
        lease_duration: whole seconds that others wait after the last renewal they saw, before they take over.
        renew_deadline: seconds after its last renewal at which a leader stops writing.
        retry_period: seconds between renewals.

    Raises:
        UsageError: two replicas could write at once: ``lease_duration`` must be above ``renew_deadline``, and that
            above ``retry_period``.
    """

    lease_name: str = ""
    lease_duration: int = 15
    renew_deadline: float = 10.0
    retry_period: float = 2.0

    def __post_init__(self) -> None:
        if not self.lease_duration > self.renew_deadline > self.retry_period * _JITTER > 0:
            raise UsageError(
                f"leaders cannot be elected with lease_duration={self.lease_duration}, "
                f"renew_deadline={self.renew_deadline}, retry_period={self.retry_period}",
                hint="lease_duration > renew_deadline > 1.2 * retry_period > 0, as in 15, 10, 2",
            )

    @property
    def write_timeout(self) -> float:
        """Seconds a write may take: one that began before the renew deadline has ended before others take over."""
        return 0.9 * (self.lease_duration - self.renew_deadline)
