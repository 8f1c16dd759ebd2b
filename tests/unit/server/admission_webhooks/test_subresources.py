"""Webhooks for what the embedded server cannot show them are told of, not passed over."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kubewright.server import InMemoryTransport, Server
from kubewright.wire import Request

CONFIGURATIONS = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
PODS = "/api/v1/namespaces/default/pods"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
CONTAINERS = {"containers": [{"name": "c", "image": "i"}]}
DEPLOYMENT = {
    "metadata": {"name": "web"},
    "spec": {
        "selector": {"matchLabels": {"a": "b"}},
        "template": {"metadata": {"labels": {"a": "b"}}, "spec": CONTAINERS},
    },
}


async def send(server: Server, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
    sent = b"" if body is None else json.dumps(body).encode()
    response = await InMemoryTransport(server).send(Request(method, path, (), {"content-type": kind}, sent))
    return response.status, json.loads(await response.read())


@pytest.fixture
async def server() -> Server:
    server = Server()
    rules = [
        {"apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods/eviction"], "operations": ["CREATE"]},
        {"apiGroups": ["apps"], "apiVersions": ["v1"], "resources": ["*/scale"], "operations": ["UPDATE"]},
    ]
    hook = {
        "name": "a.example.com",
        "clientConfig": {"url": "https://127.0.0.1:1/"},
        "rules": rules,
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
    }
    code, _ = await send(server, "POST", CONFIGURATIONS, {"metadata": {"name": "a"}, "webhooks": [hook]})
    assert code == 201
    return server


async def test_evictions(server: Server) -> None:
    await send(server, "POST", "/api/v1/namespaces/default/serviceaccounts", {"metadata": {"name": "default"}})
    assert (await send(server, "POST", PODS, {"metadata": {"name": "a"}, "spec": CONTAINERS}))[0] == 201
    code, said = await send(server, "POST", f"{PODS}/a/eviction", {"metadata": {"name": "a"}})
    assert code == 501
    assert "admission webhooks for pods/eviction" in said["message"]


async def test_scale(server: Server) -> None:
    assert (await send(server, "POST", DEPLOYMENTS, DEPLOYMENT))[0] == 201
    code, said = await send(server, "PATCH", f"{DEPLOYMENTS}/web/scale", {"spec": {"replicas": 2}})
    assert code == 501
    assert "admission webhooks for deployments.apps/scale" in said["message"]


async def test_nobody_is_asked_about_what_no_rule_names(server: Server) -> None:
    assert (await send(server, "PATCH", f"{DEPLOYMENTS}/none/scale", {"spec": {"replicas": 2}}))[0] == 404
    assert (await send(server, "POST", DEPLOYMENTS, DEPLOYMENT))[0] == 201
    assert (await send(server, "PATCH", f"{DEPLOYMENTS}/web", {"spec": {"replicas": 2}}))[0] == 200


async def test_configurations_themselves_are_never_asked_about(server: Server) -> None:
    everything = {"apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*"], "operations": ["*"]}
    hook = {
        "name": "all.example.com",
        "clientConfig": {"url": "https://127.0.0.1:1/"},
        "rules": [everything],
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
    }
    assert (await send(server, "POST", CONFIGURATIONS, {"metadata": {"name": "b"}, "webhooks": [hook]}))[0] == 201
    code, said = await send(server, "POST", "/api/v1/namespaces", {"metadata": {"name": "n"}})
    assert code == 500
    assert "failed calling webhook" in said["message"]
    assert (await send(server, "DELETE", f"{CONFIGURATIONS}/b"))[0] == 200
    assert (await send(server, "POST", "/api/v1/namespaces", {"metadata": {"name": "n"}}))[0] == 201
