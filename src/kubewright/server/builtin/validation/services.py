"""What is refused in Services."""

from __future__ import annotations

import ipaddress

from kubewright.objects import JsonObject
from kubewright.server.builtin.validation.common import label_name, labels, one_of, port_number, subdomain
from kubewright.server.builtin.validation.common import port_number_or_name as number_or_name
from kubewright.server.builtin.validation.containers import PROTOCOLS
from kubewright.server.context import Context
from kubewright.server.fielderrors import FieldError, duplicate, forbidden, invalid, required
from kubewright.server.gotext import GoStruct

_TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
_POLICIES = ("Cluster", "Local")
_FAMILY_POLICIES = ("PreferDualStack", "RequireDualStack", "SingleStack")


def service(obj: JsonObject, context: Context) -> list[FieldError]:
    """A Service."""
    spec = obj["spec"]
    kind, ports = spec.get("type"), spec.get("ports") or []
    headless = spec.get("clusterIP") == "None"
    errors = []
    if not ports and not headless and kind != "ExternalName":
        errors.append(required("spec.ports"))
    if kind in ("LoadBalancer", "NodePort") and headless:
        errors.append(invalid("spec.clusterIPs[0]", "None", f"may not be set to 'None' for {kind} services"))
    if kind == "ExternalName":
        errors += _external_name(spec)
    errors += _ports(ports)
    errors += labels(spec.get("selector"), "spec.selector")
    errors += one_of(spec.get("sessionAffinity"), "spec.sessionAffinity", ("ClientIP", "None"))
    if kind != "ExternalName":
        errors += _addresses(spec)
    errors += one_of(kind, "spec.type", _TYPES)
    if kind == "ClusterIP":
        errors += [
            forbidden(f"spec.ports[{index}].nodePort", "may not be used when `type` is 'ClusterIP'")
            for index, port in enumerate(ports)
            if port.get("nodePort")
        ]
    errors += _duplicates(ports)
    if "allocateLoadBalancerNodePorts" in spec and kind != "LoadBalancer":
        where = "spec.allocateLoadBalancerNodePorts"
        errors.append(forbidden(where, "may only be used when `type` is 'LoadBalancer'"))
    if "loadBalancerClass" in spec and kind != "LoadBalancer":
        errors.append(forbidden("spec.loadBalancerClass", "may only be used when `type` is 'LoadBalancer'"))
    return errors + _traffic(spec)


def _external_name(spec: JsonObject) -> list[FieldError]:
    errors = [
        forbidden(f"spec.{name}", "may not be set for ExternalName services")
        for name in ("clusterIPs", "ipFamilies", "ipFamilyPolicy")
        if spec.get(name)
    ]
    name = spec.get("externalName", "").removesuffix(".")
    return errors + (subdomain(name, "spec.externalName") if name else [required("spec.externalName")])


def _ports(ports: list[JsonObject]) -> list[FieldError]:
    errors: list[FieldError] = []
    names: set[str] = set()
    for index, port in enumerate(ports):
        here = f"spec.ports[{index}]"
        name = port.get("name")
        if name:
            errors += label_name(name, f"{here}.name")
            if name in names:
                errors.append(duplicate(f"{here}.name", name))
            names.add(name)
        elif len(ports) > 1:
            errors.append(required(f"{here}.name"))
        errors += port_number(port["port"], f"{here}.port")
        errors += one_of(port.get("protocol"), f"{here}.protocol", PROTOCOLS)
        errors += number_or_name(port.get("targetPort", 0), f"{here}.targetPort")
    return errors


def _duplicates(ports: list[JsonObject]) -> list[FieldError]:
    errors = []
    node_ports, numbers = set(), set()
    for index, port in enumerate(ports):
        if port.get("nodePort"):
            key = (port["protocol"], port["nodePort"])
            if key in node_ports:
                errors.append(duplicate(f"spec.ports[{index}].nodePort", port["nodePort"]))
            node_ports.add(key)
    for index, port in enumerate(ports):
        key = (port["protocol"], port["port"])
        if key in numbers:
            shown = GoStruct(
                Name="", Protocol=port["protocol"], AppProtocol=None, Port=port["port"], TargetPort=0, NodePort=0
            )
            errors.append(duplicate(f"spec.ports[{index}]", shown))
        numbers.add(key)
    return errors


def _addresses(spec: JsonObject) -> list[FieldError]:
    one, many = spec.get("clusterIP"), spec.get("clusterIPs") or []
    errors = []
    if one and not many:
        errors.append(required("spec.clusterIPs"))
    elif one and many[0] != one:
        errors.append(invalid("spec.clusterIPs", many, "first value must match `clusterIP`"))
    elif many and not one:
        errors.append(invalid("spec.clusterIPs", many, "must be empty when `clusterIP` is not specified"))
    if spec.get("ipFamilyPolicy") is not None:
        errors += one_of(spec["ipFamilyPolicy"], "spec.ipFamilyPolicy", _FAMILY_POLICIES)
    for index, address in enumerate(many):
        if index == 0 and address == "None":
            if len(many) > 1:
                errors.append(invalid("spec.clusterIPs", many, "'None' must be the first and only value"))
            continue
        try:
            ipaddress.ip_address(address)
        except ValueError:
            why = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
            errors.append(invalid(f"spec.clusterIPs[{index}]", address, why))
    headless_without_selector = one == "None" and not spec.get("selector")
    if "IPv6" in (spec.get("ipFamilies") or ()) and not headless_without_selector:
        index = spec["ipFamilies"].index("IPv6")
        errors.append(invalid(f"spec.ipFamilies[{index}]", "IPv6", "not configured on this cluster"))
    return errors


def _traffic(spec: JsonObject) -> list[FieldError]:
    external, kind = spec.get("externalTrafficPolicy"), spec.get("type")
    reachable = kind in ("NodePort", "LoadBalancer") or (kind == "ClusterIP" and bool(spec.get("externalIPs")))
    errors = []
    if not reachable and external:
        why = "may only be set for externally-accessible services"
        errors.append(invalid("spec.externalTrafficPolicy", external, why))
    elif reachable:
        errors += one_of(external, "spec.externalTrafficPolicy", _POLICIES)
    if "internalTrafficPolicy" in spec:
        errors += one_of(spec["internalTrafficPolicy"], "spec.internalTrafficPolicy", _POLICIES)
    return errors


def service_update(obj: JsonObject, old: JsonObject, context: Context) -> list[FieldError]:
    """A changed Service: its address stays."""
    spec, before = obj["spec"], old["spec"]
    if "ExternalName" in (spec.get("type"), before.get("type")):
        return []
    now, was = spec.get("clusterIPs") or [], before.get("clusterIPs") or []
    if was and not now:
        return [invalid("spec.clusterIPs[0]", None, "primary clusterIP can not be unset")]
    if was and now[0] != was[0]:
        return [invalid("spec.clusterIPs[0]", now, "may not change once set")]
    return []
