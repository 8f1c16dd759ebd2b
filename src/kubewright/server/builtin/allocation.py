"""Hands out cluster IPs and node ports, each to one Service at a time."""

from __future__ import annotations

import ipaddress

from kubewright import clock
from kubewright.objects import JsonObject
from kubewright.server.context import Lookups

NODE_PORTS = range(30000, 32768)
CLUSTER_NETWORK = ipaddress.IPv4Network("10.96.0.0/16")
_STATIC_NODE_PORTS = 86
_STATIC_ADDRESSES = 256
"""The lower end of a range is used last, so that it stays free for values that users choose."""


class Allocator:
    """Which Service holds which value of a range; forgets holders that are gone."""

    def __init__(self) -> None:
        self._holders: dict[str, str] | None = None

    def load(self, lookups: Lookups) -> dict[str, str]:
        """The holders, by what they hold: addresses, and ports as ``TCP/30002``."""
        if self._holders is None:
            self._holders = {
                value: service["metadata"]["uid"]
                for service in lookups.list("", "services")
                for value in held(service)
            }
        return self._holders

    def free(self, value: str, uid: str, lookups: Lookups) -> bool:
        """No other Service holds ``value``."""
        holders = self.load(lookups)
        holder = holders.get(value)
        if holder is None or holder == uid:
            return True
        if any(s["metadata"]["uid"] == holder and value in held(s) for s in lookups.list("", "services")):
            return False
        del holders[value]  # what was taken for a write that then failed
        return True

    def take(self, service: JsonObject, lookups: Lookups) -> None:
        """The Service holds its values now."""
        holders = self.load(lookups)
        for value in held(service):
            holders[value] = service["metadata"]["uid"]

    def release(self, service: JsonObject, keep: JsonObject | None, lookups: Lookups) -> None:
        """The Service no longer holds its values, except those that ``keep``, its next state, has."""
        holders = self.load(lookups)
        kept = set(held(keep)) if keep else set()
        for value in held(service):
            if value not in kept and holders.get(value) == service["metadata"]["uid"]:
                del holders[value]

    def draw_address(self, uid: str, lookups: Lookups) -> str:
        """A free cluster IP."""
        size = CLUSTER_NETWORK.num_addresses - 1 - _STATIC_ADDRESSES
        start = int(clock.random() * size)
        for step in range(size):
            address = str(CLUSTER_NETWORK[_STATIC_ADDRESSES + (start + step) % size])
            if self.free(address, uid, lookups):
                return address
        raise RuntimeError("no cluster IP is free")

    def draw_port(self, protocols: set[str], uid: str, lookups: Lookups, taken: set[str]) -> int:
        """A node port that is free for each of ``protocols``."""
        size = len(NODE_PORTS) - _STATIC_NODE_PORTS
        start = int(clock.random() * size)
        candidates = [NODE_PORTS[_STATIC_NODE_PORTS + (start + step) % size] for step in range(size)]
        for port in [*candidates, *NODE_PORTS[:_STATIC_NODE_PORTS]]:
            keys = {f"{protocol}/{port}" for protocol in protocols}
            if not keys & taken and all(self.free(key, uid, lookups) for key in keys):
                return int(port)
        raise RuntimeError("no node port is free")


def held(service: JsonObject) -> list[str]:
    """What a Service holds: its addresses and its node ports."""
    spec = service["spec"]
    values = [address for address in spec.get("clusterIPs") or () if address != "None"]
    values += [f"{p['protocol']}/{p['nodePort']}" for p in spec.get("ports") or () if p.get("nodePort")]
    if spec.get("healthCheckNodePort"):
        values.append(f"TCP/{spec['healthCheckNodePort']}")
    return values
