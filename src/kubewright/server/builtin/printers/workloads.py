"""Table rows of the kinds that run Pods."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from kubewright.objects import JsonObject
from kubewright.server.builtin.printers.text import (
    NONE,
    age,
    containers,
    created,
    duration,
    labels,
    seconds_since,
    selector,
)
from kubewright.server.registry import Cell


def _pod_spec(obj: JsonObject) -> JsonObject:
    template = obj["spec"].get("template") or {}
    spec: JsonObject = template.get("spec") or {}
    return spec


def deployment(obj: JsonObject) -> list[Cell]:
    """Name, ready, up-to-date, available, age; wide: containers, images, selector."""
    status = obj.get("status") or {}
    return [
        obj["metadata"]["name"],
        f"{status.get('readyReplicas', 0)}/{obj['spec'].get('replicas', 0)}",
        status.get("updatedReplicas", 0),
        status.get("availableReplicas", 0),
        created(obj),
        *containers(_pod_spec(obj)),
        "" if (text := selector(obj["spec"].get("selector"))) == NONE else text,
    ]


def replica_set(obj: JsonObject) -> list[Cell]:
    """Name, desired, current, ready, age; wide: containers, images, selector."""
    return [*_replicas(obj), *containers(_pod_spec(obj)), selector(obj["spec"].get("selector"))]


def replication_controller(obj: JsonObject) -> list[Cell]:
    """As a ReplicaSet, with its plain map of labels."""
    return [*_replicas(obj), *containers(_pod_spec(obj)), labels(obj["spec"].get("selector"))]


def _replicas(obj: JsonObject) -> list[Cell]:
    status = obj.get("status") or {}
    return [
        obj["metadata"]["name"],
        obj["spec"].get("replicas", 0),
        status.get("replicas", 0),
        status.get("readyReplicas", 0),
        created(obj),
    ]


def stateful_set(obj: JsonObject) -> list[Cell]:
    """Name, ready, age; wide: containers, images."""
    status = obj.get("status") or {}
    ready = f"{status.get('readyReplicas', 0)}/{obj['spec'].get('replicas', 0)}"
    return [obj["metadata"]["name"], ready, created(obj), *containers(_pod_spec(obj))]


def daemon_set(obj: JsonObject) -> list[Cell]:
    """Name, counts, node selector, age; wide: containers, images, selector."""
    status = obj.get("status") or {}
    counts = (
        "desiredNumberScheduled",
        "currentNumberScheduled",
        "numberReady",
        "updatedNumberScheduled",
        "numberAvailable",
    )
    return [
        obj["metadata"]["name"],
        *(status.get(count, 0) for count in counts),
        labels(_pod_spec(obj).get("nodeSelector")),
        created(obj),
        *containers(_pod_spec(obj)),
        selector(obj["spec"].get("selector")),
    ]


_JOB_STATUS = (
    ("Suspended", "Suspended"),
    ("FailureTarget", "FailureTarget"),
    ("SuccessCriteriaMet", "SuccessCriteriaMet"),
)


def job(obj: JsonObject) -> list[Cell]:
    """Name, status, completions, duration, age; wide: containers, images, selector."""
    spec, status = obj["spec"], obj.get("status") or {}
    done, wanted, parallelism = status.get("succeeded", 0), spec.get("completions"), spec.get("parallelism", 0)
    if wanted is not None:
        completions = f"{done}/{wanted}"
    else:
        completions = f"{done}/1 of {parallelism}" if parallelism > 1 else f"{done}/1"
    return [
        obj["metadata"]["name"],
        _job_status(obj, status),
        completions,
        _job_duration(status),
        created(obj),
        *containers(_pod_spec(obj)),
        selector(spec.get("selector")),
    ]


def _job_status(obj: JsonObject, status: JsonObject) -> str:
    true = {c["type"] for c in status.get("conditions") or () if c.get("status") == "True"}
    if "Complete" in true:
        return "Complete"
    if "Failed" in true:
        return "Failed"
    if obj["metadata"].get("deletionTimestamp"):
        return "Terminating"
    return next((word for condition, word in _JOB_STATUS if condition in true), "Running")


def _job_duration(status: JsonObject) -> str:
    started, ended = status.get("startTime"), status.get("completionTime")
    if not started:
        return ""
    if not ended:
        return duration(seconds_since(started))
    return duration((datetime.fromisoformat(ended) - datetime.fromisoformat(started)).total_seconds())


def cron_job(obj: JsonObject) -> list[Cell]:
    """Name, schedule, time zone, suspend, active, last schedule, age; wide: containers, images, selector."""
    spec, status = obj["spec"], obj.get("status") or {}
    template = spec["jobTemplate"].get("spec") or {}
    last = status.get("lastScheduleTime")
    return [
        obj["metadata"]["name"],
        spec.get("schedule", ""),
        spec.get("timeZone", NONE),
        {True: "True", False: "False"}.get(spec.get("suspend"), "<unset>"),
        len(status.get("active") or ()),
        age(last) if last else NONE,
        created(obj),
        *containers((template.get("template") or {}).get("spec") or {}),
        selector(template.get("selector")),
    ]


def pod_template(obj: JsonObject) -> list[Cell]:
    """Name, containers, images, labels of the pods."""
    template = obj.get("template") or {}
    names, images = containers(template.get("spec") or {})
    return [obj["metadata"]["name"], names, images, labels((template.get("metadata") or {}).get("labels"))]


def controller_revision(obj: JsonObject) -> list[Cell]:
    """Name, controller, revision, age."""
    owners = obj["metadata"].get("ownerReferences") or ()
    owner = next((o for o in owners if o.get("controller")), None)
    text = NONE
    if owner:
        group = owner["apiVersion"].rpartition("/")[0]
        kind = f"{owner['kind']}.{group}" if group else owner["kind"]
        text = f"{kind.lower()}/{owner['name']}"
    return [obj["metadata"]["name"], text, obj.get("revision", 0), created(obj)]


def pod_disruption_budget(obj: JsonObject) -> list[Cell]:
    """Name, min available, max unavailable, allowed disruptions, age."""
    spec, status = obj["spec"], obj.get("status") or {}
    least, most = spec.get("minAvailable", "N/A"), spec.get("maxUnavailable", "N/A")
    return [obj["metadata"]["name"], str(least), str(most), status.get("disruptionsAllowed", 0), created(obj)]


def autoscaler(obj: JsonObject) -> list[Cell]:
    """Name, reference, targets, bounds, replicas, age."""
    spec, status = obj["spec"], obj.get("status") or {}
    target = spec["scaleTargetRef"]
    least = spec.get("minReplicas")
    return [
        obj["metadata"]["name"],
        f"{target.get('kind', '')}/{target.get('name', '')}",
        _metrics(spec.get("metrics") or (), status.get("currentMetrics") or ()),
        "<unset>" if least is None else str(least),
        spec.get("maxReplicas", 0),
        status.get("currentReplicas", 0),
        created(obj),
    ]


def _metrics(specs: Sequence[JsonObject], statuses: Sequence[JsonObject]) -> str:
    texts = []
    for index, spec in enumerate(specs):
        kind = {"Resource": "resource", "ContainerResource": "containerResource", "Pods": "pods"}.get(
            spec["type"], spec["type"].lower()
        )
        source = spec.get(kind) or {}
        now = ((statuses[index].get(kind) or {}) if index < len(statuses) else {}).get("current") or {}
        target = source.get("target") or {}
        if "averageUtilization" in target:
            current = f"{now['averageUtilization']}%" if "averageUtilization" in now else "<unknown>"
            text = f"{current}/{target['averageUtilization']}%"
        elif "averageValue" in target:
            suffix = " (avg)" if kind in ("external", "object") else ""
            text = f"{now.get('averageValue', '<unknown>')}/{target['averageValue']}{suffix}"
        else:
            text = f"{now.get('value', '<unknown>')}/{target.get('value', '<auto>')}"
        texts.append(f"{source.get('name')}: {text}" if kind in ("resource", "containerResource") else text)
    if not texts:
        return NONE
    shown = ", ".join(texts[:2])
    return f"{shown} + {len(texts) - 2} more..." if len(texts) > 2 else shown
