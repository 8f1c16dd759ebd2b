"""Random applies, patches and updates of Deployments, sent to the real API server and to the embedded one."""

from __future__ import annotations

import copy
import json
import os
import random
import time
from typing import Any

import pytest

from kubewright.server import InMemoryTransport, Server
from kubewright.wire import Request

PATH = "/apis/apps/v1/namespaces/default/deployments"
TYPES = {
    "apply": "application/apply-patch+yaml",
    "strategic": "application/strategic-merge-patch+json",
    "merge": "application/merge-patch+json",
}


def container(rng: random.Random, name: str) -> dict[str, Any]:
    made: dict[str, Any] = {"name": name, "image": rng.choice("xyz")}
    if rng.random() < 0.6:
        made["env"] = [{"name": n, "value": rng.choice("12")} for n in rng.sample("ABC", rng.choice([0, 1, 2, 3]))]
    if rng.random() < 0.5:
        ports = rng.sample([(80, "TCP"), (80, "UDP"), (81, None), (82, None)], rng.choice([1, 2]))
        made["ports"] = [{"containerPort": port, **({"protocol": p} if p else {})} for port, p in ports]
    if rng.random() < 0.3:
        made["args"] = rng.sample("abc", 2)
    if rng.random() < 0.3:
        made["resources"] = {"limits": {"cpu": rng.choice(["1", "500m", "0.5"])}}
    if rng.random() < 0.2:
        made["volumeMounts"] = [{"name": "v", "mountPath": f"/{n}"} for n in rng.sample("ab", rng.choice([1, 2]))]
    return made


def deployment(rng: random.Random, name: str) -> dict[str, Any]:
    pod: dict[str, Any] = {"containers": [container(rng, n) for n in rng.sample("abc", rng.choice([1, 2]))]}
    pod["volumes"] = [{"name": "v", "emptyDir": {}}]
    if rng.random() < 0.3:
        pod["nodeSelector"] = {key: rng.choice("12") for key in rng.sample("ab", rng.choice([0, 1, 2]))}
    if rng.random() < 0.3:
        pod["tolerations"] = [{"key": key, "operator": "Exists"} for key in rng.sample("ab", rng.choice([1, 2]))]
    if rng.random() < 0.2:
        pod["imagePullSecrets"] = [{"name": key} for key in rng.sample("ab", rng.choice([1, 2]))]
    spec: dict[str, Any] = {
        "selector": {"matchLabels": {"a": "b"}},
        "template": {"metadata": {"labels": {"a": "b"}}, "spec": pod},
    }
    if rng.random() < 0.4:
        spec["replicas"] = rng.choice([0, 1, 2])
    if rng.random() < 0.2:
        spec["strategy"] = rng.choice(
            [{"type": "Recreate"}, {"rollingUpdate": {"maxSurge": rng.choice([1, "50%"])}}]
        )
    metadata: dict[str, Any] = {"name": name}
    if rng.random() < 0.3:
        metadata["annotations"] = {key: rng.choice("12") for key in rng.sample("ab", rng.choice([1, 2]))}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


def comparable(answer: Any) -> Any:
    answer = copy.deepcopy(answer)
    metadata = answer.get("metadata", {})
    for key in ("uid", "resourceVersion", "creationTimestamp"):
        metadata.pop(key, None)
    entries = metadata.get("managedFields", [])
    for entry in entries:
        entry.pop("time", None)
    entries.sort(key=lambda entry: (entry["operation"], entry["manager"], entry.get("subresource", "")))
    causes = (answer.get("details") or {}).get("causes")
    if causes:
        causes.sort(key=lambda cause: (cause["message"], cause.get("field", "")))
    return answer


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.timeout(0)
async def test_random_writes_of_deployments_are_answered_alike(real_api: Any) -> None:
    """KUBEWRIGHT_FUZZ_SECONDS of it (10 by default), from seed KUBEWRIGHT_FUZZ_SEED on."""
    transport = InMemoryTransport(Server())

    async def embedded(method: str, path: str, body: Any, content_type: str, **query: str) -> tuple[int, Any]:
        request = Request(
            method,
            path,
            tuple(query.items()),
            {"content-type": content_type, "accept": "application/json"},
            b"" if body is None else json.dumps(body).encode(),
        )
        response = await transport.send(request)
        return response.status, json.loads(await response.read())

    seed = int(os.environ.get("KUBEWRIGHT_FUZZ_SEED", "0"))
    end = time.monotonic() + float(os.environ.get("KUBEWRIGHT_FUZZ_SECONDS", "10"))
    steps = 0
    while time.monotonic() < end:
        rng = random.Random(seed)
        name = f"fuzz-{seed}"
        url = f"{PATH}/{name}"
        for step in range(rng.choice([3, 6])):
            how = "apply" if step == 0 else rng.choice(["apply", "apply", "strategic", "merge"])
            body = deployment(rng, name)
            if how == "merge":
                body = {
                    "spec": {
                        "replicas": rng.choice([1, 2, 3]),
                        "template": {"spec": body["spec"]["template"]["spec"]},
                    }
                }
            query = {"fieldManager": rng.choice(["a", "b", "kubectl"])}
            if how == "apply":
                query["force"] = rng.choice(["true", "false"])
            real = real_api("PATCH", url, body, content_type=TYPES[how], **query)
            ours = await embedded("PATCH", url, body, TYPES[how], **query)
            steps += 1
            context = f"seed {seed} step {step}: {how} {query} {body}"
            assert ours[0] == real[0], f"{context}\nreal {real}\nours {ours}"
            a, b = comparable(ours[1]), comparable(real[1])
            assert a.get("metadata", {}).pop("managedFields", None) == b.get("metadata", {}).pop(
                "managedFields", None
            ), context
            assert a == b, context
        real_api("DELETE", url)
        await embedded("DELETE", url, None, "application/json")
        seed += 1
    print(f"{steps} writes, seeds up to {seed}")  # noqa: T201
