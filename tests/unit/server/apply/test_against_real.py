"""Random sequences of writes, answered by the real API server and by us."""

from __future__ import annotations

import copy
import os
import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from kubewright.objects.patches import merge_patch
from kubewright.server.apply import ApplyConflict, ApplyError, apply, keep_times, track_update
from kubewright.server.schema import apply_defaults, from_crd, prune, validate

GROUP = "h5fuzz.kubewright.dev"
PATH = f"/apis/{GROUP}/v1/namespaces/default/things"
TEXT = {"type": "string"}
SPEC: dict[str, Any] = {
    "type": "object",
    "properties": {
        "size": {"type": "integer"},
        "image": TEXT,
        "defaulted": {"type": "integer", "default": 3},
        "empty": {"type": "object", "properties": {"x": TEXT, "y": {"type": "object", "properties": {"z": TEXT}}}},
        "labels": {"type": "object", "additionalProperties": TEXT},
        "whole": {"type": "object", "additionalProperties": TEXT, "x-kubernetes-map-type": "atomic"},
        "maybe": {"type": "string", "nullable": True},
        "maybes": {"type": "object", "nullable": True, "additionalProperties": TEXT},
        "either": {"x-kubernetes-int-or-string": True},
        "atomics": {"type": "array", "items": TEXT},
        "tags": {"type": "array", "items": TEXT, "x-kubernetes-list-type": "set"},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "ports": {
            "type": "array",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["port", "protocol"],
            "items": {
                "type": "object",
                "required": ["port"],
                "properties": {
                    "port": {"type": "integer"},
                    "protocol": {"type": "string", "default": "TCP"},
                    "name": TEXT,
                    "opts": {"type": "object", "additionalProperties": {"type": "integer"}},
                    "tags": {"type": "array", "items": TEXT, "x-kubernetes-list-type": "set"},
                },
            },
        },
    },
}
SCHEMA = {
    "type": "object",
    "properties": {"spec": SPEC, "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
}


def value_for(schema: dict[str, Any], rng: random.Random, depth: int = 0) -> Any:
    if schema.get("nullable") and rng.random() < 0.3:
        return None
    if rng.random() < 0.03 and depth and not schema.get("in_list"):
        return None
    if schema.get("x-kubernetes-int-or-string"):
        return rng.choice([1, 2, "a"])
    if schema.get("x-kubernetes-preserve-unknown-fields"):
        return rng.choice(
            [{}, {"a": 1}, {"a": {"b": 1}}, {"a": {"b": 2, "c": [1]}}, {"l": [1, 2]}, {"l": [{"x": 1}]}, {"a": []}]
        )
    kind = schema["type"]
    if kind == "string":
        return rng.choice("abc")
    if kind == "integer":
        return rng.choice([1, 2, 3])
    if kind == "array":
        items = schema["items"]
        count = rng.choice([0, 1, 1, 2, 3])
        if schema.get("x-kubernetes-list-type") == "set":
            return rng.sample("abcd", count)
        if schema.get("x-kubernetes-list-type") == "map":
            chosen = rng.sample([(1, "TCP"), (2, "TCP"), (1, "UDP"), (2, None), (3, None)], count)
            if len({(port, protocol or "TCP") for port, protocol in chosen}) < count:
                chosen = chosen[:1]
            made = []
            for port, protocol in chosen:
                item = value_for({**items, "in_list": True}, rng, depth + 1)
                item["port"] = port
                item.pop("protocol", None)
                if protocol:
                    item["protocol"] = protocol
                made.append(item)
            return made
        return [value_for({**items, "in_list": True}, rng, depth + 1) for _ in range(count)]
    if "additionalProperties" in schema:
        return {
            key: value_for(schema["additionalProperties"], rng, depth + 1)
            for key in rng.sample("abc", rng.choice([0, 1, 2]))
        }
    return {
        name: value_for(inner, rng, depth + 1)
        for name, inner in schema["properties"].items()
        if rng.random() < 0.35
    }


def metadata_for(rng: random.Random) -> dict[str, Any]:
    metadata: dict[str, Any] = {}
    if rng.random() < 0.3:
        metadata["labels"] = {key: rng.choice("xy") for key in rng.sample("abc", rng.choice([0, 1, 2]))}
    if rng.random() < 0.2:
        metadata["annotations"] = {key: rng.choice("xy") for key in rng.sample("abc", rng.choice([0, 1, 2]))}
    if rng.random() < 0.2:
        metadata["finalizers"] = [f"h5.example.com/{key}" for key in rng.sample("abc", rng.choice([0, 1, 2]))]
    return metadata


@pytest.fixture
def things(real_api: Any) -> Iterator[Any]:
    crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    crd = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"things.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {"plural": "things", "singular": "thing", "kind": "Thing", "listKind": "ThingList"},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": SCHEMA},
                    "subresources": {"status": {}},
                }
            ],
        },
    }
    status, answer = real_api("POST", crds, crd)
    assert status in (201, 409), answer
    deadline = time.monotonic() + 20
    while real_api("GET", PATH)[0] != 200 and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(1)
    yield real_api
    real_api("DELETE", f"{crds}/things.{GROUP}")


def comparable(obj: dict[str, Any]) -> dict[str, Any]:
    obj = copy.deepcopy(obj)
    metadata = obj["metadata"]
    for name in ("resourceVersion", "generation", "uid", "creationTimestamp", "name", "namespace"):
        metadata.pop(name, None)
    for name in ("labels", "annotations", "finalizers"):
        if not metadata.get(name):
            metadata.pop(name, None)
    for entry in metadata.get("managedFields", []):
        entry.pop("time", None)
    return obj


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.timeout(0)
def test_random_writes_are_answered_alike(things: Any) -> None:
    """KUBEWRIGHT_FUZZ_SECONDS of it (10 by default), from seed KUBEWRIGHT_FUZZ_SEED on."""
    schema = from_crd(SCHEMA)
    seed = int(os.environ.get("KUBEWRIGHT_FUZZ_SEED", "0"))
    end = time.monotonic() + float(os.environ.get("KUBEWRIGHT_FUZZ_SECONDS", "10"))
    steps = 0
    while time.monotonic() < end:
        steps += run_sequence(things, schema, seed)
        seed += 1
    print(f"{steps} writes, seeds up to {seed}")  # noqa: T201


def run_sequence(api: Any, schema: Any, seed: int) -> int:
    rng = random.Random(seed)
    name = f"t{seed}"
    url = f"{PATH}/{name}"
    live: dict[str, Any] | None = None
    steps = 0
    history: list[Any] = []
    for _ in range(rng.choice([4, 8, 16])):
        verb = rng.choice(["apply", "apply", "apply", "put", "merge", "status"])
        manager = rng.choice(["a", "b", "kubectl"])
        body = {
            "apiVersion": f"{GROUP}/v1",
            "kind": "Thing",
            "metadata": {"name": name, **metadata_for(rng)},
            "spec": value_for(SPEC, rng),
        }
        force = rng.random() < 0.5
        if live is None and verb in ("merge", "status"):
            continue
        history.append((verb, manager, force, copy.deepcopy(body)))
        now = datetime.now(UTC).replace(microsecond=0)
        if verb == "apply":
            code, real = api(
                "PATCH",
                url,
                body,
                content_type="application/apply-patch+yaml",
                fieldManager=manager,
                force=str(force).lower(),
            )
            ours = ours_applied(live, body, schema, manager, force, now)
        elif verb == "status":
            part = {"status": value_for(SCHEMA["properties"]["status"], rng), "spec": body["spec"]}
            code, real = api(
                "PATCH", url + "/status", part, content_type="application/merge-patch+json", fieldManager=manager
            )
            ours = ours_merged_status(live, part, schema, manager, now)
        elif verb == "put" and live is None:
            code, real = api("POST", PATH, body, fieldManager=manager)
            ours = ours_updated(None, body, schema, manager, now)
        elif verb == "put":
            body["metadata"]["resourceVersion"] = live["metadata"]["resourceVersion"]
            if rng.random() < 0.1:
                body["metadata"]["managedFields"] = [{}]
            code, real = api("PUT", url, body, fieldManager=manager)
            ours = ours_updated(live, body, schema, manager, now)
        else:
            patch = {"spec": body["spec"]}
            code, real = api("PATCH", url, patch, content_type="application/merge-patch+json", fieldManager=manager)
            ours = ours_updated(live, merge_patch(live, patch), schema, manager, now)
        steps += 1
        context = f"seed {seed} step {steps}: {history[-1]}\nlive: {live}"
        if code >= 400:
            if code == 422:
                assert not isinstance(ours, Exception), f"{context}\nreal {real}\nours {ours!r}"
                subresource = "status" if verb == "status" else ""
                errors = [error.cause() for error in validate(schema, ours, live, subresource=subresource)]
                expected = real["details"]["causes"]
                assert sorted(errors, key=str) == sorted(expected, key=str), context
                continue
            assert isinstance(ours, Exception), f"{context}\nreal {code} {real}\nours {ours}"
            assert ours.message == real["message"], context  # type: ignore[attr-defined]
            if isinstance(ours, ApplyConflict):
                assert ours.causes == sorted(real["details"]["causes"], key=lambda cause: cause["message"]), context
            else:
                assert ours.code == code  # type: ignore[attr-defined]
            continue
        assert not isinstance(ours, Exception), f"{context}\nreal {code}\nours {ours!r}"
        if datetime.now(UTC).replace(microsecond=0) != now:  # the second turned: the order of entries may differ
            for obj in (ours, real):
                obj["metadata"].get("managedFields", []).sort(key=entry_order)
        a, b = comparable(ours), comparable(real)
        assert a["metadata"].pop("managedFields", None) == b["metadata"].pop("managedFields", None), context
        assert a == b, context
        live = real
    if live is not None and live["metadata"].get("finalizers"):
        api("PATCH", url, {"metadata": {"finalizers": None}}, content_type="application/merge-patch+json")
    api("DELETE", url)
    return steps


def entry_order(entry: dict[str, Any]) -> tuple[str, ...]:
    return (entry["operation"], entry["manager"], entry.get("subresource", ""))


def ours_applied(live: Any, body: Any, schema: Any, manager: str, force: bool, now: datetime) -> Any:
    try:
        result = apply(
            copy.deepcopy(live),
            copy.deepcopy(body),
            schema=schema,
            manager=manager,
            force=force,
            api_version=body["apiVersion"],
            now=now,
            reset_fields=[("status",)],
        )
    except (ApplyConflict, ApplyError) as error:
        return error
    result = copy.deepcopy(result)
    apply_defaults(schema, result, applied=True)
    prune(schema, result)
    if live is not None:
        keep_times(live, result)
    return result


def ours_updated(live: Any, body: Any, schema: Any, manager: str, now: datetime) -> Any:
    new = copy.deepcopy(body)
    apply_defaults(schema, new)
    prune(schema, new)
    track_update(
        live,
        new,
        schema=schema,
        manager=manager,
        api_version=new["apiVersion"],
        now=now,
        reset_fields=[("status",)],
    )
    if live is not None and "status" in live:
        new["status"] = live["status"]
    else:
        new.pop("status", None)
    return new


def ours_merged_status(live: Any, part: Any, schema: Any, manager: str, now: datetime) -> Any:
    new = copy.deepcopy(merge_patch(live, part))
    apply_defaults(schema, new)
    prune(schema, new)
    track_update(
        live,
        new,
        schema=schema,
        manager=manager,
        subresource="status",
        api_version=new["apiVersion"],
        now=now,
        reset_fields=[("spec",), ("metadata",)],
    )
    managed = new["metadata"].get("managedFields")
    status = new.get("status")
    new = copy.deepcopy(live)
    if status is not None:
        new["status"] = status
    else:
        new.pop("status", None)
    if managed is not None:
        new["metadata"]["managedFields"] = managed
    return new
