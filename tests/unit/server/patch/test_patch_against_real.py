"""Patches that the real API server and we are given alike."""

from __future__ import annotations

import copy
import gzip
import json
import random
import time
from pathlib import Path
from typing import Any

import pytest

import kubewright.server as server_package
from kubewright.errors import PatchError
from kubewright.server.patch import strategic_merge
from kubewright.server.schema import Definitions, from_openapi

NAME = "kubewright-h5-patched"
PATH = "/apis/apps/v1/namespaces/default/deployments"


@pytest.fixture(scope="session")
def deployment_schema() -> Any:
    folder = Path(server_package.__file__).parent / "data" / "openapi"
    with gzip.open(folder / "apps__v1.json.gz") as file:
        return from_openapi(Definitions(json.load(file)), "io.k8s.api.apps.v1.Deployment")


def container(rng: random.Random, name: str) -> dict[str, Any]:
    made: dict[str, Any] = {"name": name, "image": rng.choice("xyz")}
    if rng.random() < 0.6:
        made["env"] = [{"name": n, "value": rng.choice("12")} for n in rng.sample("ABC", rng.choice([0, 1, 2, 3]))]
    if rng.random() < 0.4:
        made["ports"] = [
            {"containerPort": n, "name": f"p{n}"} for n in rng.sample([80, 81, 82], rng.choice([1, 2]))
        ]
    if rng.random() < 0.4:
        made["args"] = rng.sample("abc", 2)
    return made


def random_patch(rng: random.Random) -> dict[str, Any]:
    spec: dict[str, Any] = {}
    pod: dict[str, Any] = {}
    names = rng.sample("abc", rng.choice([1, 2]))
    pod["containers"] = []
    for name in names:
        item = container(rng, name)
        roll = rng.random()
        if roll < 0.2:
            item = {"name": name, "$patch": "delete"}
        elif roll < 0.25:
            item["$patch"] = "replace"
        elif roll < 0.28:
            item["$patch"] = "bogus"
        elif roll < 0.31:
            del item["name"]
        if "env" in item and rng.random() < 0.3:
            item["$setElementOrder/env"] = [{"name": n} for n in rng.sample("ABCD", 3)]
        pod["containers"].append(item)
    if rng.random() < 0.4:
        pod["$setElementOrder/containers"] = [{"name": n} for n in rng.sample("abc", 3)]
    if rng.random() < 0.2:
        pod["volumes"] = [{"name": "v", "emptyDir": {}, "$retainKeys": ["name", "emptyDir"]}]
    if rng.random() < 0.1:
        pod["volumes"] = [{"name": "v", "hostPath": {"path": "/x"}, "$retainKeys": ["name"]}]
    if rng.random() < 0.1:
        pod["volumes"] = [{"name": "v", "hostPath": {"path": "/x"}, "emptyDir": None}]
    if rng.random() < 0.2:
        pod["imagePullSecrets"] = [{"name": rng.choice("st")}]
    if rng.random() < 0.2:
        pod["nodeSelector"] = rng.choice([{"a": "b"}, {"a": None, "c": "d"}, None, {"$patch": "replace", "z": "y"}])
    if rng.random() < 0.2:
        spec["strategy"] = rng.choice(
            [{"$retainKeys": ["type"], "type": "Recreate"}, {"type": "RollingUpdate"}, {"$patch": "delete"}]
        )
    if rng.random() < 0.3:
        spec["replicas"] = rng.choice([1, 2, None])
    spec["template"] = {"spec": pod}
    patch: dict[str, Any] = {"spec": spec}
    if rng.random() < 0.3:
        metadata: dict[str, Any] = {"annotations": {rng.choice("ab"): rng.choice(["1", None])}}
        if rng.random() < 0.5:
            metadata["finalizers"] = [f"h5.example.com/{n}" for n in rng.sample("abc", rng.choice([1, 2]))]
        elif rng.random() < 0.5:
            metadata["$deleteFromPrimitiveList/finalizers"] = ["h5.example.com/a"]
        if rng.random() < 0.3:
            metadata["$setElementOrder/finalizers"] = [f"h5.example.com/{n}" for n in rng.sample("abcd", 4)]
        patch["metadata"] = metadata
    return patch


def mistakes(patch: dict[str, Any]) -> int:
    text = json.dumps(patch)
    pod = patch["spec"]["template"]["spec"]
    nameless = sum("name" not in item for item in pod["containers"])
    return text.count("bogus") + text.count('["name"]') + nameless + text.count("$setElementOrder")


def patched(live: dict[str, Any], patch: dict[str, Any], schema: Any) -> Any:
    try:
        return strategic_merge(live, copy.deepcopy(patch), schema)
    except PatchError as error:
        return error


def base() -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": NAME},
        "spec": {
            "selector": {"matchLabels": {"a": "b"}},
            "template": {
                "metadata": {"labels": {"a": "b"}},
                "spec": {
                    "containers": [
                        {
                            "name": "a",
                            "image": "x",
                            "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
                        },
                        {"name": "b", "image": "y", "ports": [{"containerPort": 80, "name": "p80"}]},
                    ],
                    "volumes": [{"name": "v", "emptyDir": {}}],
                },
            },
        },
    }


def without_defaults(value: Any, like: Any) -> Any:
    """Drop from the server's answer what neither document mentions: it defaults."""
    if isinstance(value, dict) and isinstance(like, dict):
        return {key: without_defaults(value[key], like[key]) for key in value if key in like}
    if isinstance(value, list) and isinstance(like, list) and len(value) == len(like):
        return [without_defaults(a, b) for a, b in zip(value, like, strict=True)]
    return value


def dropped_empty(value: Any) -> Any:
    if isinstance(value, dict):
        made = {key: dropped_empty(inner) for key, inner in value.items() if not key.startswith("$")}
        return {key: inner for key, inner in made.items() if inner not in (None, {}, [])}
    return [dropped_empty(item) for item in value] if isinstance(value, list) else value


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.timeout(0)
def test_random_strategic_patches_are_answered_alike(real_api: Any, deployment_schema: Any) -> None:
    end = time.monotonic() + 20
    seed = compared = refused = 0
    while time.monotonic() < end:
        rng = random.Random(seed)
        seed += 1
        real_api(
            "PATCH",
            f"{PATH}/{NAME}",
            {"metadata": {"finalizers": None}},
            content_type="application/merge-patch+json",
        )
        real_api("DELETE", f"{PATH}/{NAME}")
        code, live = real_api("POST", PATH, base())
        assert code == 201, live
        for _ in range(5):
            patch = random_patch(rng)
            if mistakes(patch) > 1:
                continue  # which of them Go's maps come upon first is chance
            code, real = real_api(
                "PATCH",
                f"{PATH}/{NAME}",
                patch,
                content_type="application/strategic-merge-patch+json",
            )
            ours = patched(live, patch, deployment_schema)
            if isinstance(ours, PatchError):
                assert (code, real["message"]) == (ours.code, str(ours)), f"seed {seed}: {patch}"
                refused += 1
                continue
            if code == 422:
                continue
            assert code == 200, f"seed {seed}: {patch}\nreal {real}\nours {ours['spec']}"
            for part in ("spec", "metadata"):
                a, b = dropped_empty(ours[part]), dropped_empty(real[part])
                for name in ("resourceVersion", "managedFields", "generation"):
                    a.pop(name, None)
                    b.pop(name, None)
                assert without_defaults(b, a) == a, f"seed {seed}: {patch}\nlive {live['spec']}"
            live = real
            compared += 1
    real_api(
        "PATCH", f"{PATH}/{NAME}", {"metadata": {"finalizers": None}}, content_type="application/merge-patch+json"
    )
    real_api("DELETE", f"{PATH}/{NAME}")
    assert compared > 20
    print(f"{compared} alike, {refused} refused alike")  # noqa: T201
