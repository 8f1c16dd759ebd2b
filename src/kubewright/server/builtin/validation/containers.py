"""What is refused in the containers of Pods."""

from __future__ import annotations

import re
from collections.abc import Iterable

from kubewright.objects import JsonObject, parse_quantity
from kubewright.server.builtin.validation.common import (
    label_name,
    not_negative,
    one_of,
    port_name_problems,
    port_number,
    port_number_or_name,
)
from kubewright.server.fielderrors import FieldError, duplicate, forbidden, invalid, not_found, required
from kubewright.server.names import qualified_name_problems

PROTOCOLS = ("SCTP", "TCP", "UDP")
_STANDARD = ("cpu", "memory", "ephemeral-storage")
_SOURCES = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")
_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc")
_ENV_PROBLEM = "a valid environment variable name must consist only of printable ASCII characters other than '='"
_FIELD = re.compile(
    r"metadata\.(name|namespace|uid|labels|annotations)|metadata\.(labels|annotations)\['.*'\]"
    r"|spec\.(nodeName|serviceAccountName)|status\.(hostIP|hostIPs|podIP|podIPs)"
)


def containers(found: list[JsonObject], volumes: set[str], path: str, names: set[str]) -> list[FieldError]:
    """A list of containers; their names join ``names``."""
    errors: list[FieldError] = []
    for index, container in enumerate(found):
        here = f"{path}[{index}]"
        name = container.get("name", "")
        errors += label_name(name, f"{here}.name") if name else [required(f"{here}.name")]
        image = container.get("image", "")
        if not image:
            errors.append(required(f"{here}.image"))
        elif image != image.strip():
            errors.append(invalid(f"{here}.image", image, "must not have leading or trailing whitespace"))
        if name and name in names:
            errors.append(duplicate(f"{here}.name", name))
        names.add(name)
        errors += _parts(container, volumes, here)
    return errors


def _parts(container: JsonObject, volumes: set[str], path: str) -> list[FieldError]:
    errors = _ports(container.get("ports") or (), f"{path}.ports")
    errors += _environment(container.get("env") or (), f"{path}.env")
    errors += _environment_sources(container.get("envFrom") or (), f"{path}.envFrom")
    errors += _mounts(container.get("volumeMounts") or (), volumes, f"{path}.volumeMounts")
    policies = ("Always", "IfNotPresent", "Never")
    errors += one_of(container.get("imagePullPolicy"), f"{path}.imagePullPolicy", policies)
    errors += resources(container.get("resources") or {}, f"{path}.resources")
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        if name in container:
            errors += _probe(container[name], f"{path}.{name}")
            if name != "readinessProbe" and container[name].get("successThreshold", 1) != 1:
                where = f"{path}.{name}.successThreshold"
                errors.append(invalid(where, container[name]["successThreshold"], "must be 1"))
    return errors


def _ports(ports: Iterable[JsonObject], path: str) -> list[FieldError]:
    errors, names = [], set()
    for index, port in enumerate(ports):
        here = f"{path}[{index}]"
        if name := port.get("name"):
            problems = port_name_problems(name)
            errors += [invalid(f"{here}.name", name, problem) for problem in problems]
            if not problems and name in names:
                errors.append(duplicate(f"{here}.name", name))
            names.add(name)
        number = port.get("containerPort", 0)
        errors += port_number(number, f"{here}.containerPort") if number else [required(f"{here}.containerPort")]
        if port.get("hostPort"):
            errors += port_number(port["hostPort"], f"{here}.hostPort")
        errors += one_of(port.get("protocol"), f"{here}.protocol", PROTOCOLS)
    return errors


def _environment(variables: Iterable[JsonObject], path: str) -> list[FieldError]:
    errors = []
    for index, variable in enumerate(variables):
        here = f"{path}[{index}]"
        name = variable.get("name", "")
        if not name:
            errors.append(required(f"{here}.name"))
        elif not re.fullmatch(r"[ -<>-~]+", name):
            errors.append(invalid(f"{here}.name", name, _ENV_PROBLEM))
        if "valueFrom" in variable:
            errors += _value_source(variable, f"{here}.valueFrom")
    return errors


def _value_source(variable: JsonObject, path: str) -> list[FieldError]:
    source: JsonObject = variable["valueFrom"]
    errors = []
    if field := source.get("fieldRef"):
        errors += _field_ref(field, f"{path}.fieldRef")
    for name in ("configMapKeyRef", "secretKeyRef"):
        if name in source and not source[name].get("key"):
            errors.append(required(f"{path}.{name}.key"))
    given = [name for name in _SOURCES if name in source]
    if not given:
        choices = "`fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"
        errors.append(invalid(path, "", f"must specify one of: {choices}"))
    elif variable.get("value"):
        errors.append(invalid(path, "", "may not be specified when `value` is not empty"))
    elif len(given) > 1:
        errors.append(invalid(path, "", "may not have more than one field specified at a time"))
    return errors


def _field_ref(field: JsonObject, path: str) -> list[FieldError]:
    wanted = field.get("fieldPath", "")
    if not wanted:
        return [required(f"{path}.fieldPath")]
    if _FIELD.fullmatch(wanted):
        return []
    why = f"error converting fieldPath: field label not supported: {wanted}"
    return [invalid(f"{path}.fieldPath", wanted, why)]


def _environment_sources(sources: Iterable[JsonObject], path: str) -> list[FieldError]:
    errors = []
    for index, source in enumerate(sources):
        here = f"{path}[{index}]"
        given = [name for name in ("configMapRef", "secretRef") if name in source]
        errors += [required(f"{here}.{name}.name") for name in given if not source[name].get("name")]
        if not given:
            errors.append(invalid(here, "", "must specify one of: `configMapRef` or `secretRef`"))
        elif len(given) > 1:
            errors.append(invalid(here, "", "may not have more than one field specified at a time"))
    return errors


def _mounts(mounts: Iterable[JsonObject], volumes: set[str], path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    paths: set[str] = set()
    for index, mount in enumerate(mounts):
        here = f"{path}[{index}]"
        name, where = mount.get("name", ""), mount.get("mountPath", "")
        if not name:
            errors.append(required(f"{here}.name"))
        elif name not in volumes:
            errors.append(not_found(f"{here}.name", name))
        if not where:
            errors.append(required(f"{here}.mountPath"))
        elif where in paths:
            errors.append(invalid(f"{here}.mountPath", where, "must be unique"))
        paths.add(where)
    return errors


def resources(found: JsonObject, path: str) -> list[FieldError]:
    """Requests and limits."""
    limits, requests = found.get("limits") or {}, found.get("requests") or {}
    errors = []
    for part, amounts in (("limits", limits), ("requests", requests)):
        for name, amount in amounts.items():
            here = f"{path}.{part}[{name}]"
            errors += _resource_name(name, here)
            if parse_quantity(amount) < 0:
                errors.append(invalid(here, amount, "must be greater than or equal to 0"))
    for name, amount in requests.items():
        if name in limits and parse_quantity(amount) > parse_quantity(limits[name]):
            why = f"must be less than or equal to {name} limit of {limits[name]}"
            errors.append(invalid(f"{path}.requests", amount, why))
    return errors


def _resource_name(name: str, path: str) -> list[FieldError]:
    errors = [invalid(path, name, problem) for problem in qualified_name_problems(name)]
    if not errors and "/" not in name and name not in _STANDARD and not name.startswith("hugepages-"):
        errors.append(invalid(path, name, "must be a standard resource type or fully qualified"))
        errors.append(invalid(path, name, "must be a standard resource for containers"))
    return errors


def _probe(probe: JsonObject, path: str) -> list[FieldError]:
    given = [name for name in _HANDLERS if name in probe]
    errors = [] if given else [required(path, "must specify a handler type")]
    errors += [forbidden(f"{path}.{name}", "may not specify more than 1 handler type") for name in given[1:]]
    for name in given[:1]:
        if name in ("httpGet", "tcpSocket"):
            errors += port_number_or_name(probe[name].get("port", 0), f"{path}.{name}.port")
        elif name == "exec" and not probe[name].get("command"):
            errors.append(required(f"{path}.exec.command"))
    names = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")
    return errors + not_negative(probe, path, *names)
