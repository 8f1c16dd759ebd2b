"""Services: addresses and node ports are allocated, kept over updates, and given back."""

from __future__ import annotations

import ipaddress

from kubewright.objects import JsonObject
from kubewright.server.builtin.allocation import CLUSTER_NETWORK, NODE_PORTS, Allocator
from kubewright.server.builtin.strategy import Behaviour, BuiltinStatusStrategy, BuiltinStrategy
from kubewright.server.context import Context
from kubewright.server.fielderrors import FieldError, forbidden, invalid
from kubewright.server.status import StatusError
from kubewright.server.status import invalid as invalid_object

_WITH_NODE_PORTS = ("NodePort", "LoadBalancer")


def needs_cluster_ip(service: JsonObject) -> bool:
    """All but ExternalName services have one (or ``None``)."""
    kind: str = service["spec"].get("type", "")
    return kind in ("ClusterIP", "NodePort", "LoadBalancer")


def needs_node_ports(service: JsonObject) -> bool:
    """The service is reached on every node."""
    spec = service["spec"]
    if spec.get("type") == "LoadBalancer":
        return bool(spec.get("allocateLoadBalancerNodePorts", True))
    return bool(spec.get("type") == "NodePort")


def _needs_health_port(service: JsonObject) -> bool:
    spec = service["spec"]
    return (spec.get("type"), spec.get("externalTrafficPolicy")) == ("LoadBalancer", "Local")


class ServiceStrategy(BuiltinStrategy):
    """Fills in and frees what a Service is given."""

    def __init__(self, api_version: str, kind: str, behaviour: Behaviour) -> None:
        super().__init__(api_version, kind, behaviour)
        self._allocator = Allocator()

    def prepare_for_create(self, obj: JsonObject, context: Context) -> None:
        """One cluster IP is both ``clusterIP`` and the first of ``clusterIPs``."""
        super().prepare_for_create(obj, context)
        _same_addresses(obj, None)
        _families(obj)
        self._allocate(obj, context)

    def prepare_for_update(self, obj: JsonObject, old: JsonObject, context: Context) -> None:
        """What was given before stays, unless the new type has no use for it."""
        super().prepare_for_update(obj, old, context)
        _same_addresses(obj, old)
        _keep_given(obj, old)
        _drop_unneeded(obj, old)
        _families(obj)
        self._allocate(obj, context)

    def begin_create(self, obj: JsonObject, context: Context) -> None:
        """Addresses and ports were given before validation, as the API server does it; now they are taken."""
        self._allocator.take(obj, context.lookups)

    def begin_update(self, obj: JsonObject, old: JsonObject, context: Context) -> None:
        """Take what is new."""
        self._allocator.take(obj, context.lookups)

    def after_update(self, obj: JsonObject, old: JsonObject, context: Context) -> None:
        """Take back what is no longer used."""
        self._allocator.release(old, obj, context.lookups)

    def after_delete(self, obj: JsonObject, context: Context) -> None:
        """Take all back."""
        self._allocator.release(obj, None, context.lookups)

    def _allocate(self, obj: JsonObject, context: Context) -> None:
        errors = []
        if needs_cluster_ip(obj):
            errors += self._give_address(obj, context)
        if needs_node_ports(obj):
            errors += self._give_ports(obj, context)
        if errors:
            raise _refused(obj, errors)

    def _give_address(self, obj: JsonObject, context: Context) -> list[FieldError]:
        spec, uid = obj["spec"], obj["metadata"]["uid"]
        wanted = spec.get("clusterIP")
        if wanted == "None":
            return []
        if not wanted:
            drawn = _DRY_RUN if context.dry_run else self._allocator.draw_address(uid, context.lookups)
            spec["clusterIP"] = drawn
            spec["clusterIPs"] = [spec["clusterIP"]]
            return []
        why = ""
        if not _is_address(wanted):
            return []  # validation says so
        if ipaddress.ip_address(wanted) not in CLUSTER_NETWORK:
            why = "the provided network does not match the current range"
            if context.dry_run:
                why = f"the provided IP ({wanted}) is not in the valid range. {_NETWORK}"
        elif not context.dry_run and not self._allocator.free(wanted, uid, context.lookups):
            why = "provided IP is already allocated"
        if not why:
            return []
        return [invalid("spec.clusterIPs", spec["clusterIPs"], f"failed to allocate IP {wanted}: {why}")]

    def _give_ports(self, obj: JsonObject, context: Context) -> list[FieldError]:
        spec, uid, errors = obj["spec"], obj["metadata"]["uid"], []
        taken: set[str] = set()
        for index, port in enumerate(spec.get("ports") or ()):
            wanted = port.get("nodePort")
            path, key = f"spec.ports[{index}].nodePort", f"{port['protocol']}/{wanted}"
            if not wanted:
                continue
            if key in taken or not (context.dry_run or self._allocator.free(key, uid, context.lookups)):
                errors.append(invalid(path, wanted, "provided port is already allocated"))
            elif wanted not in NODE_PORTS and not context.dry_run:
                errors.append(invalid(path, wanted, _OUT_OF_RANGE))
            taken.add(key)
        if errors:
            return errors
        for port in spec.get("ports") or ():
            if not port.get("nodePort"):
                port["nodePort"] = self._allocator.draw_port({port["protocol"]}, uid, context.lookups, taken)
                taken.add(f"{port['protocol']}/{port['nodePort']}")
        if _needs_health_port(obj) and not spec.get("healthCheckNodePort"):
            spec["healthCheckNodePort"] = self._allocator.draw_port({"TCP"}, uid, context.lookups, taken)
        return []


_DRY_RUN = str(CLUSTER_NETWORK[0])
"""What a dry run shows: no address is drawn for it."""
_NETWORK = f"The range of valid IPs is {CLUSTER_NETWORK}"
_OUT_OF_RANGE = "provided port is not in the valid range. The range of valid ports is 30000-32767"


class ServiceStatusStrategy(BuiltinStatusStrategy):
    """Only load balancers have addresses in their status."""

    def validate_update(self, obj: JsonObject, old: JsonObject, context: Context) -> list[FieldError]:
        """No ingress for other types."""
        given = (obj["status"].get("loadBalancer") or {}).get("ingress")
        if given and obj["spec"].get("type") != "LoadBalancer":
            return [forbidden("status.loadBalancer.ingress", "may only be used when `spec.type` is 'LoadBalancer'")]
        return []


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _refused(obj: JsonObject, errors: list[FieldError]) -> StatusError:
    return invalid_object("", "Service", obj["metadata"].get("name", ""), errors)


def _same_addresses(obj: JsonObject, old: JsonObject | None) -> None:
    spec = obj["spec"]
    before = old["spec"] if old else {}
    one, many = spec.get("clusterIP"), spec.get("clusterIPs")
    if old is None:
        if one and not many:
            spec["clusterIPs"] = [one]
        return
    if one != before.get("clusterIP") and many == before.get("clusterIPs"):
        if one:
            spec["clusterIPs"] = [one]
        else:
            spec.pop("clusterIPs", None)


def _families(obj: JsonObject) -> None:
    # The embedded server's service network is IPv4 alone.
    if needs_cluster_ip(obj):
        obj["spec"].setdefault("ipFamilies", ["IPv4"])
        policy = obj["spec"].setdefault("ipFamilyPolicy", "SingleStack")
        if obj["spec"].get("clusterIP") == "None" and not obj["spec"].get("selector") and policy == "SingleStack":
            obj["spec"]["ipFamilyPolicy"] = "RequireDualStack"
            obj["spec"]["ipFamilies"] = ["IPv4", "IPv6"]


def _keep_given(obj: JsonObject, old: JsonObject) -> None:
    spec, before = obj["spec"], old["spec"]
    if needs_cluster_ip(obj) and needs_cluster_ip(old):
        for name in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
            if name in before:
                spec.setdefault(name, before[name])
    if needs_node_ports(obj) and needs_node_ports(old):
        given = {(p["protocol"], p["port"]): p.get("nodePort") for p in before.get("ports") or ()}
        used = {p.get("nodePort") for p in spec.get("ports") or ()}
        for port in spec.get("ports") or ():
            node_port = given.get((port["protocol"], port["port"]))
            if not port.get("nodePort") and node_port and node_port not in used:
                port["nodePort"] = node_port
    if _needs_health_port(obj) and before.get("healthCheckNodePort"):
        spec.setdefault("healthCheckNodePort", before["healthCheckNodePort"])


def _drop_unneeded(obj: JsonObject, old: JsonObject) -> None:
    spec, before = obj["spec"], old["spec"]

    def drop(*names: str) -> None:
        for name in names:
            if spec.get(name) == before.get(name):
                spec.pop(name, None)

    if needs_cluster_ip(old) and not needs_cluster_ip(obj):
        drop("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy")
    if needs_node_ports(old) and not needs_node_ports(obj) and _node_ports(spec) == _node_ports(before):
        for port in spec.get("ports") or ():
            port.pop("nodePort", None)
    if _needs_health_port(old) and not _needs_health_port(obj):
        drop("healthCheckNodePort")
    if before.get("type") == "LoadBalancer" and spec.get("type") != "LoadBalancer":
        drop("allocateLoadBalancerNodePorts", "loadBalancerClass")
    if before.get("type") in _WITH_NODE_PORTS and spec.get("type") not in _WITH_NODE_PORTS:
        drop("externalTrafficPolicy")
    if spec.get("type") != "LoadBalancer":
        obj["status"] = {**(obj.get("status") or {}), "loadBalancer": {}}


def _node_ports(spec: JsonObject) -> set[int]:
    return {port["nodePort"] for port in spec.get("ports") or () if port.get("nodePort")}
