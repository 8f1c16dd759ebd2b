"""Table rows of the kinds that run nothing."""

from __future__ import annotations

from collections.abc import Iterable

from kubewright.objects import JsonObject
from kubewright.server.builtin.printers.text import NONE, access_modes, age, created, labels, selector, some_of
from kubewright.server.registry import Cell


def _name(obj: JsonObject) -> str:
    name: str = obj["metadata"]["name"]
    return name


def name_and_age(obj: JsonObject) -> list[Cell]:
    """Name, age."""
    return [_name(obj), created(obj)]


def config_map(obj: JsonObject) -> list[Cell]:
    """Name, number of entries, age."""
    return [_name(obj), len(obj.get("data") or ()) + len(obj.get("binaryData") or ()), created(obj)]


def secret(obj: JsonObject) -> list[Cell]:
    """Name, type, number of entries, age."""
    return [_name(obj), obj.get("type", ""), len(obj.get("data") or ()), created(obj)]


def namespace(obj: JsonObject) -> list[Cell]:
    """Name, phase, age."""
    return [_name(obj), (obj.get("status") or {}).get("phase", ""), created(obj)]


def service(obj: JsonObject) -> list[Cell]:
    """Name, type, addresses, ports, age; wide: selector."""
    spec = obj["spec"]
    pieces = [
        f"{p['port']}:{p['nodePort']}/{p['protocol']}" if p.get("nodePort") else f"{p['port']}/{p['protocol']}"
        for p in spec.get("ports") or ()
    ]
    return [
        _name(obj),
        spec["type"],
        (spec.get("clusterIPs") or [NONE])[0],
        _external(obj),
        ",".join(pieces) or NONE,
        created(obj),
        labels(spec.get("selector")),
    ]


def _balanced(obj: JsonObject) -> str:
    found = ((obj.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    return ",".join(sorted({entry.get("ip") or entry.get("hostname") or "" for entry in found} - {""}))


def _external(obj: JsonObject) -> str:
    spec = obj["spec"]
    outside = list(spec.get("externalIPs") or ())
    if spec["type"] == "ExternalName":
        return str(spec.get("externalName", ""))
    if spec["type"] != "LoadBalancer":
        return ",".join(outside) or NONE
    balanced = _balanced(obj)
    if outside:
        return ",".join(([balanced] if balanced else []) + outside)
    return balanced or "<pending>"


def endpoints(obj: JsonObject) -> list[Cell]:
    """Name, addresses with ports, age."""
    subsets = obj.get("subsets") or ()
    return [_name(obj), some_of(_addresses(subsets)) if subsets else NONE, created(obj)]


def _addresses(subsets: Iterable[JsonObject]) -> Iterable[str]:
    for subset in subsets:
        addresses = subset.get("addresses") or ()
        ports = subset.get("ports") or ()
        if not ports:
            yield from (address["ip"] for address in addresses)
        for port in ports:
            for address in addresses:
                host = f"[{address['ip']}]" if ":" in address["ip"] else address["ip"]
                yield f"{host}:{port['port']}"


def endpoint_slice(obj: JsonObject) -> list[Cell]:
    """Name, address type, ports, addresses, age."""
    ports = [str(p["port"]) if "port" in p else p.get("name", "*") for p in obj.get("ports") or ()]
    addresses = [a for e in obj.get("endpoints") or () for a in e.get("addresses") or ()]
    shown = (some_of(ports) or "<unset>", some_of(addresses) or "<unset>")
    return [_name(obj), obj.get("addressType", ""), *shown, created(obj)]


def event(obj: JsonObject) -> list[Cell]:
    """Last seen, type, reason, object, message; wide: subobject, source, first seen, count, name."""
    regarding = obj.get("involvedObject") or obj.get("regarding") or {}
    source = obj.get("source") or obj.get("deprecatedSource") or {}
    first_at = obj.get("firstTimestamp") or obj.get("deprecatedFirstTimestamp")
    last_at = obj.get("lastTimestamp") or obj.get("deprecatedLastTimestamp")
    first = age(first_at or obj.get("eventTime"))
    last = age(last_at) if last_at else first
    count = obj.get("count") or obj.get("deprecatedCount") or 1
    if series := obj.get("series"):
        last, count = age(series.get("lastObservedTime")), series.get("count", 0)
    component = source.get("component") or obj.get("reportingComponent") or obj.get("reportingController") or ""
    instance = source.get("host") or obj.get("reportingInstance") or ""
    kind, name = regarding.get("kind", "").lower(), regarding.get("name")
    return [
        last,
        obj.get("type", ""),
        obj.get("reason", ""),
        f"{kind}/{name}" if name else kind,
        regarding.get("fieldPath", ""),
        f"{component}, {instance}" if instance else component,
        (obj.get("message") or obj.get("note") or "").strip(),
        first,
        count,
        _name(obj),
    ]


def node(obj: JsonObject) -> list[Cell]:
    """Name, status, roles, age, version; wide: addresses, image, kernel, container runtime."""
    status = obj.get("status") or {}
    ready = next((c for c in status.get("conditions") or () if c["type"] == "Ready"), None)
    words = [("Ready" if ready["status"] == "True" else "NotReady") if ready else "Unknown"]
    if obj["spec"].get("unschedulable"):
        words.append("SchedulingDisabled")
    info = status.get("nodeInfo") or {}
    kernel = info.get("kernelVersion") or "<unknown>"
    if info.get("architecture"):
        kernel += f" ({info['architecture']})"
    addresses = {a["type"]: a["address"] for a in reversed(status.get("addresses") or ())}
    return [
        _name(obj),
        ",".join(words),
        ",".join(_roles(obj["metadata"].get("labels") or {})) or NONE,
        created(obj),
        info.get("kubeletVersion", ""),
        addresses.get("InternalIP", NONE),
        addresses.get("ExternalIP", NONE),
        info.get("osImage") or "<unknown>",
        kernel,
        info.get("containerRuntimeVersion") or "<unknown>",
    ]


def _roles(found: JsonObject) -> list[str]:
    prefix = "node-role.kubernetes.io/"
    roles = {key.removeprefix(prefix) for key in found if key.startswith(prefix)}
    return sorted((roles | {found.get("kubernetes.io/role", "")}) - {""})


def claim(obj: JsonObject) -> list[Cell]:
    """Name, status, volume, capacity, access modes, classes, age, volume mode."""
    spec, status = obj["spec"], obj.get("status") or {}
    volume = spec.get("volumeName", "")
    return [
        _name(obj),
        "Terminating" if obj["metadata"].get("deletionTimestamp") else status.get("phase", ""),
        volume,
        (status.get("capacity") or {}).get("storage", "0") if volume else "",
        access_modes(status.get("accessModes")) if volume else "",
        spec.get("storageClassName", ""),
        spec.get("volumeAttributesClassName", "<unset>"),
        created(obj),
        spec.get("volumeMode", "<unset>"),
    ]


def volume(obj: JsonObject) -> list[Cell]:
    """Name, capacity, access modes, reclaim policy, status, claim, classes, reason, age, volume mode."""
    spec, status = obj["spec"], obj.get("status") or {}
    bound = spec.get("claimRef")
    return [
        _name(obj),
        (spec.get("capacity") or {}).get("storage", "0"),
        access_modes(spec.get("accessModes")),
        spec.get("persistentVolumeReclaimPolicy", ""),
        "Terminating" if obj["metadata"].get("deletionTimestamp") else status.get("phase", ""),
        f"{bound.get('namespace', '')}/{bound.get('name', '')}" if bound else "",
        spec.get("storageClassName", ""),
        spec.get("volumeAttributesClassName", "<unset>"),
        status.get("reason", ""),
        created(obj),
        spec.get("volumeMode", "<unset>"),
    ]


def ingress(obj: JsonObject) -> list[Cell]:
    """Name, class, hosts, address, ports, age."""
    spec = obj["spec"]
    rules = spec.get("rules") or ()
    hosts = ",".join(rule["host"] for rule in rules[:3] if rule.get("host")) or "*"
    if len(rules) > 3 and hosts != "*":
        hosts += f" + {len(rules) - 3} more..."
    ports = "80, 443" if spec.get("tls") else "80"
    return [_name(obj), spec.get("ingressClassName", NONE), hosts, _balanced(obj), ports, created(obj)]


def network_policy(obj: JsonObject) -> list[Cell]:
    """Name, pod selector, age."""
    return [_name(obj), selector(obj["spec"].get("podSelector")), created(obj)]


def binding(obj: JsonObject) -> list[Cell]:
    """Name, role, age; wide: users, groups, service accounts."""
    role, subjects = obj["roleRef"], obj.get("subjects") or ()
    users = ", ".join(s["name"] for s in subjects if s["kind"] == "User")
    groups = ", ".join(s["name"] for s in subjects if s["kind"] == "Group")
    accounts = ", ".join(f"{s.get('namespace', '')}/{s['name']}" for s in subjects if s["kind"] == "ServiceAccount")
    return [_name(obj), f"{role['kind']}/{role['name']}", created(obj), users, groups, accounts]


def lease(obj: JsonObject) -> list[Cell]:
    """Name, holder, age."""
    return [_name(obj), obj["spec"].get("holderIdentity", ""), created(obj)]


def webhook_configuration(obj: JsonObject) -> list[Cell]:
    """Name, number of webhooks, age."""
    return [_name(obj), len(obj.get("webhooks") or ()), created(obj)]


def priority_class(obj: JsonObject) -> list[Cell]:
    """Name, value, global default, age, preemption policy."""
    value, everyone = obj.get("value", 0), obj.get("globalDefault", False)
    return [_name(obj), value, everyone, created(obj), obj.get("preemptionPolicy", "")]


def storage_class(obj: JsonObject) -> list[Cell]:
    """Name, provisioner, reclaim policy, binding mode, expansion, age."""
    annotations = obj["metadata"].get("annotations") or {}
    default = annotations.get("storageclass.kubernetes.io/is-default-class") == "true"
    return [
        _name(obj) + (" (default)" if default else ""),
        obj.get("provisioner", ""),
        obj.get("reclaimPolicy", ""),
        obj.get("volumeBindingMode", ""),
        obj.get("allowVolumeExpansion", False),
        created(obj),
    ]


def ingress_class(obj: JsonObject) -> list[Cell]:
    """Name, controller, parameters, age."""
    parameters = obj["spec"].get("parameters")
    text = NONE
    if parameters:
        group = parameters.get("apiGroup")
        text = f"{parameters['kind']}{'.' + group if group else ''}/{parameters['name']}"
    return [_name(obj), obj["spec"].get("controller", ""), text, created(obj)]


def runtime_class(obj: JsonObject) -> list[Cell]:
    """Name, handler, age."""
    return [_name(obj), obj.get("handler", ""), created(obj)]


def resource_quota(obj: JsonObject) -> list[Cell]:
    """Name, used and hard requests, used and hard limits, age."""
    status = obj.get("status") or {}
    hard, used = status.get("hard") or {}, status.get("used") or {}
    texts = {name: f"{name}: {used.get(name, '0')}/{hard[name]}" for name in sorted(hard)}
    requests = ", ".join(text for name, text in texts.items() if not name.startswith("limits."))
    limits = ", ".join(text for name, text in texts.items() if name.startswith("limits."))
    return [_name(obj), requests, limits, created(obj)]
