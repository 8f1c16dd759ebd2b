"""The Lease that says who leads."""

from __future__ import annotations

from typing import NamedTuple

from kubewright import clock
from kubewright.client import Client
from kubewright.errors import NotFound
from kubewright.kinds.coordination_v1 import Lease, LeaseSpec
from kubewright.objects import ObjectKey, ObjectMeta


class Record(NamedTuple):
    """What a Lease says; when it changes, its holder is alive."""

    holder: str = ""
    duration: float = 0.0
    mark: str = ""

    @classmethod
    def of(cls, lease: Lease) -> Record:
        """What ``lease`` says."""
        spec = lease.spec or LeaseSpec()
        mark = f"{spec.acquire_time} {spec.renew_time} {spec.lease_transitions}"
        return cls(spec.holder_identity or "", float(spec.lease_duration_seconds or 0), mark)


class LeaseLock:
    """One Lease, read and written as one candidate.

    Each write carries the resourceVersion of what was read, so of two candidates at most one succeeds.
    """

    def __init__(self, client: Client, lease: ObjectKey, *, identity: str, duration: int) -> None:
        self.client = client
        self.lease = lease
        self.identity = identity
        self._duration = duration

    async def get(self) -> Lease | None:
        """The Lease as the API server has it now, or None if there is none."""
        try:
            return await self.client.get(Lease, self.lease.name, self.lease.namespace)
        except NotFound:
            return None

    async def take(self, lease: Lease | None) -> Lease:
        """Make ``lease`` ours.

        Raises:
            Conflict: somebody else was quicker.
        """
        now = clock.now()
        spec = LeaseSpec(
            holder_identity=self.identity,
            lease_duration_seconds=self._duration,
            acquire_time=now,
            renew_time=now,
            lease_transitions=0,
        )
        if lease is None:
            meta = ObjectMeta(name=self.lease.name, namespace=self.lease.namespace)
            return await self.client.create(Lease(metadata=meta, spec=spec))
        before = lease.spec or LeaseSpec()
        spec.lease_transitions = before.lease_transitions or 0
        if before.holder_identity == self.identity:
            spec.acquire_time = before.acquire_time
        else:
            spec.lease_transitions += 1
        lease.spec = spec
        return await self.client.replace(lease)

    async def give_up(self, lease: Lease) -> Lease:
        """Let anybody take ``lease`` at once. It lasts a second, as client-go has it."""
        now = clock.now()
        transitions = (lease.spec or LeaseSpec()).lease_transitions
        lease.spec = LeaseSpec(
            holder_identity="",
            lease_duration_seconds=1,
            acquire_time=now,
            renew_time=now,
            lease_transitions=transitions,
        )
        return await self.client.replace(lease)
