from __future__ import annotations

import msgspec
import pytest

from kubewright import errors
from kubewright.objects import ApiResource

PODS = ApiResource(group="", version="v1", kind="Pod", plural="pods")


@pytest.mark.parametrize("size", [1, 3, 100])
async def test_a_log_is_followed_line_by_line(scripted, size):
    text = "one\n\nthree é\nlast".encode()
    stream = scripted.stream([text[i : i + size] for i in range(0, len(text), size)])
    client, script = scripted.client([stream])
    lines = [line async for line in client.follow_log("p", "ns", container="c", tail_lines=5, timestamps=True)]
    assert lines == ["one", "", "three é", "last"]
    assert stream.closed
    (request,) = script.requests
    assert (request.path, request.stream) == ("/api/v1/namespaces/ns/pods/p/log", True)
    assert dict(request.query) == {"container": "c", "timestamps": "true", "tailLines": "5", "follow": "true"}


async def test_leaving_a_followed_log_closes_it(scripted):
    stream = scripted.stream([b"one\ntwo\n"])
    client, _ = scripted.client([stream])
    lines = client.follow_log("p")
    assert await anext(lines) == "one"
    await lines.aclose()
    assert stream.closed


async def test_a_whole_log(scripted):
    client, script = scripted.client([scripted.stream([b"a\n", b"\xff\n"])])
    assert (
        await client.log("p", previous=True, since_seconds=10, limit_bytes=100) == "a\n\N{REPLACEMENT CHARACTER}\n"
    )
    assert dict(script.requests[0].query) == {"previous": "true", "sinceSeconds": "10", "limitBytes": "100"}
    with pytest.raises(errors.UsageError, match="since_seconds"):
        await client.log("p", since_seconds=0)


async def test_what_an_eviction_says(scripted):
    client, script = scripted.client([scripted.json({})])
    await client.evict("p", "ns", uid="u", grace_period_seconds=0)
    assert script.requests[0].path == "/api/v1/namespaces/ns/pods/p/eviction"
    assert msgspec.json.decode(script.requests[0].body) == {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": "p", "namespace": "ns"},
        "deleteOptions": {"gracePeriodSeconds": 0, "preconditions": {"uid": "u"}},
    }


async def test_answers_that_are_something_else(scripted):
    client, _ = scripted.client(lambda request: scripted.json([]))
    with pytest.raises(errors.DecodeError, match="not a TokenRequest"):
        await client.create_token("a")
    with pytest.raises(errors.DecodeError, match="not a Scale"):
        await client.get_scale(PODS, "a")
