from __future__ import annotations

import pytest

from kubewright import errors
from kubewright.objects import GroupVersionKind

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


def entry(kind, plural, *, group="", version="v1", short=(), scope="Namespaced", subresources=()):
    return {
        "resource": plural,
        "responseKind": {"group": group, "version": version, "kind": kind},
        "scope": scope,
        "singularResource": kind.lower(),
        "verbs": ["get", "list"],
        "shortNames": list(short),
        "subresources": [{"subresource": each, "verbs": ["get"]} for each in subresources],
    }


def groups(*, with_custom=True):
    found = [
        {
            "metadata": {"name": "apps"},
            "versions": [
                {
                    "version": "v1",
                    "resources": [
                        entry("Deployment", "deployments", group="apps", short=["deploy"], subresources=["scale"])
                    ],
                }
            ],
        },
        {
            "metadata": {"name": "events.k8s.io"},
            "versions": [{"version": "v1", "resources": [entry("Event", "events", group="events.k8s.io")]}],
        },
    ]
    if with_custom:
        found.append(
            {
                "metadata": {"name": "app.example.com"},
                "versions": [
                    {
                        "version": v,
                        "resources": [entry("AppService", "appservices", group="app.example.com", version=v)],
                    }
                    for v in ("v1", "v1beta1")
                ],
            }
        )
    return {"items": found}


CORE = {
    "items": [
        {
            "metadata": {},
            "versions": [
                {
                    "version": "v1",
                    "resources": [
                        entry("Pod", "pods", short=["po"]),
                        entry("Event", "events", short=["ev"]),
                        entry("Namespace", "namespaces", scope="Cluster"),
                        {"resource": "odd", "scope": "Cluster"},
                    ],
                }
            ],
        }
    ]
}


@pytest.fixture
def server(scripted):
    """An API server whose custom resource appears when ``served["custom"]`` is set."""
    served = {"custom": True, "etags": True}

    def answer(request):
        if request.path == "/api":
            return scripted.json(CORE, content_type=AGGREGATED)
        etag = f'"{served["custom"]}"'
        if request.headers.get("if-none-match") == etag:
            return scripted.json({}, 304)
        return scripted.json(groups(with_custom=served["custom"]), content_type=AGGREGATED, etag=etag)

    client, script = scripted.client(answer)
    return client.discovery, script, served


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("pods", "pods"),
        ("pod", "pods"),
        ("po", "pods"),
        ("Pod", "pods"),
        ("events", "events"),
        ("events.events.k8s.io", "events.events.k8s.io"),
        ("events.events", "events.events.k8s.io"),
        ("events.v1.events.k8s.io", "events.events.k8s.io"),
        ("deploy", "deployments.apps"),
        ("deployments.v1.apps", "deployments.apps"),
        ("deployment.apps", "deployments.apps"),
        ("AppService", "appservices.app.example.com"),
        ("pods.v1", "pods"),
    ],
)
async def test_words_are_read_as_kubectl_reads_them(server, word, meant):
    discovery, _, _ = server
    assert (await discovery.resolve(word)).group_resource == meant


async def test_the_preferred_version_comes_first(server):
    discovery, script, _ = server
    assert (await discovery.resolve("appservices")).version == "v1"
    assert (await discovery.resolve("appservices.v1beta1.app.example.com")).version == "v1beta1"
    assert (await discovery.find_kind("app.example.com", "AppService")).version == "v1"
    assert (await discovery.find(GroupVersionKind("app.example.com", "v1beta1", "AppService"))).version == "v1beta1"
    deployment = await discovery.find(GroupVersionKind("apps", "v1", "Deployment"))
    assert deployment.subresources == ("scale",)
    assert not (await discovery.find(GroupVersionKind("", "v1", "Namespace"))).namespaced
    assert len(script.requests) == 2, "asked once"


async def test_what_is_not_there_is_looked_for_again(server):
    discovery, script, served = server
    served["custom"] = False
    with pytest.raises(errors.NotFound, match='no resource type "appservices"'):
        await discovery.resolve("appservices")
    with pytest.raises(errors.NotFound, match=r"does not serve kind AppService of app\.example\.com/v1") as caught:
        await discovery.find(GroupVersionKind("app.example.com", "v1", "AppService"))
    assert "CustomResourceDefinition" in caught.value.hint
    served["custom"] = True
    assert (await discovery.resolve("appservices")).kind == "AppService"
    assert any("if-none-match" in request.headers for request in script.requests)


async def test_another_version_is_named(server):
    discovery, _, _ = server
    with pytest.raises(errors.NotFound) as caught:
        await discovery.find(GroupVersionKind("app.example.com", "v2", "AppService"))
    assert "v1, v1beta1" in caught.value.hint


async def test_an_old_server_is_asked_group_by_group(scripted):
    documents = {
        "/api": {"kind": "APIVersions", "versions": ["v1"]},
        "/apis": {
            "kind": "APIGroupList",
            "groups": [
                {
                    "name": "apps",
                    "versions": [
                        {"groupVersion": "apps/v1beta1", "version": "v1beta1"},
                        {"groupVersion": "apps/v1", "version": "v1"},
                    ],
                    "preferredVersion": {"groupVersion": "apps/v1", "version": "v1"},
                },
                {"name": "broken.io", "versions": [{"groupVersion": "broken.io/v1", "version": "v1"}]},
            ],
        },
        "/api/v1": {
            "groupVersion": "v1",
            "resources": [
                {"name": "pods", "kind": "Pod", "namespaced": True, "verbs": ["get"], "shortNames": ["po"]},
                {"name": "pods/log", "kind": "Pod", "namespaced": True, "verbs": ["get"]},
            ],
        },
        "/apis/apps/v1": {
            "groupVersion": "apps/v1",
            "resources": [{"name": "deployments", "kind": "Deployment", "namespaced": True, "verbs": []}],
        },
        "/apis/apps/v1beta1": {
            "groupVersion": "apps/v1beta1",
            "resources": [{"name": "deployments", "kind": "Deployment", "namespaced": True, "verbs": []}],
        },
    }

    def answer(request):
        if request.path in documents:
            return scripted.json(documents[request.path])
        return scripted.failure(500, "InternalError")

    client, _ = scripted.client(answer)
    resources = await client.discovery.resources()
    assert [(r.plural, r.version) for r in resources] == [
        ("pods", "v1"),
        ("deployments", "v1"),
        ("deployments", "v1beta1"),
    ]
    assert resources[0].subresources == ("log",)
    assert (await client.discovery.resolve("pod")).plural == "pods"


async def test_a_group_that_is_down_just_now_is_asked_itself(scripted):
    stale = {
        "items": [
            {"metadata": {"name": "metrics.k8s.io"}, "versions": [{"version": "v1", "freshness": "Stale"}]},
        ]
    }
    listed = {
        "groupVersion": "metrics.k8s.io/v1",
        "resources": [{"name": "nodes", "kind": "NodeMetrics", "namespaced": False, "verbs": ["get"]}],
    }
    answers = {"/api": {"items": []}, "/apis": stale, "/apis/metrics.k8s.io/v1": listed}
    client, _ = scripted.client(lambda request: scripted.json(answers[request.path], content_type=AGGREGATED))
    assert [resource.kind for resource in await client.discovery.resources()] == ["NodeMetrics"]


async def test_a_document_that_is_none(scripted):
    client, _ = scripted.client(lambda request: scripted.json({"items": 5}, content_type=AGGREGATED))
    with pytest.raises(errors.DecodeError, match="discovery"):
        await client.discovery.resources()
