from __future__ import annotations

import pytest

from kubewright import clock, errors
from kubewright.client import Client, Retries
from kubewright.objects import ApiResource
from kubewright.wire import Request

CONFIG_MAPS = ApiResource(group="", version="v1", kind="ConfigMap", plural="configmaps")
CONFIG_MAP = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}


async def do(client: Client, what: str) -> object:
    if what == "get":
        return await client.get(CONFIG_MAPS, "a")
    if what == "create":
        return await client.raw(Request("POST", "/api/v1/namespaces/default/configmaps", body=b"{}"))
    if what == "apply":
        return await client.patch(CONFIG_MAPS, "a", CONFIG_MAP, "apply", field_manager="me")
    if what == "merge":
        return await client.patch(CONFIG_MAPS, "a", {}, "merge")
    return await client.delete(CONFIG_MAPS, "a")


@pytest.mark.parametrize("what", ["get", "create", "apply", "merge", "delete"])
@pytest.mark.parametrize("code", [429, 503])
async def test_what_was_turned_away_is_always_sent_again(scripted, what, code):
    client, script = scripted.client([scripted.failure(code, "", retry_after="0"), scripted.json(CONFIG_MAP)])
    await do(client, what)
    assert len(script.requests) == 2
    assert script.requests[0] == script.requests[1]


@pytest.mark.parametrize(
    ("what", "again"), [("get", True), ("apply", True), ("create", False), ("merge", False), ("delete", False)]
)
@pytest.mark.parametrize("how", ["500 with Retry-After", "502", "503", "504", "broken"])
async def test_what_may_have_been_done_is_sent_again_only_where_that_is_safe(scripted, what, again, how):
    failures = {
        "500 with Retry-After": scripted.failure(500, "", retry_after="0"),
        "broken": errors.ConnectionBroken("reset"),
    }
    answer = failures.get(how) or scripted.failure(int(how), "")
    client, script = scripted.client([answer, scripted.json(CONFIG_MAP)])
    if again:
        await do(client, what)
    else:
        with pytest.raises(errors.ConnectionBroken if how == "broken" else errors.ApiError):
            await do(client, what)
    assert len(script.requests) == (2 if again else 1)


@pytest.mark.parametrize(
    "answer", ["400", "401", "403", "404", "409", "410", "422", "500", "501", "refused", "certificate", "timeout"]
)
async def test_what_will_not_change_is_not_sent_again(scripted, answer):
    failures = {
        "refused": errors.ConnectionFailed("refused"),
        "certificate": errors.CertificateError("expired"),
        "timeout": errors.RequestTimeout("slow"),
    }
    client, script = scripted.client([failures.get(answer) or scripted.failure(int(answer or 0), "")])
    with pytest.raises(errors.KubewrightError):
        await client.get(CONFIG_MAPS, "a")
    assert len(script.requests) == 1


async def test_an_eviction_that_a_budget_forbids_is_not_sent_again(scripted):
    client, script = scripted.client([scripted.failure(429, "TooManyRequests", "disruption budget")])
    with pytest.raises(errors.TooManyRequests, match="disruption budget"):
        await client.evict("a")
    assert len(script.requests) == 1


async def test_it_gives_up_in_the_end(scripted):
    client, script = scripted.client(lambda request: scripted.failure(503, "", "down", retry_after="0"))
    with pytest.raises(errors.ServiceUnavailable, match="down"):
        await client.get(CONFIG_MAPS, "a")
    assert len(script.requests) == Retries().attempts


def test_waits_grow_have_jitter_and_a_cap(scripted):
    get, retries = Request("GET", "/"), Retries(base=1, cap=5, attempts=10)
    with clock.use(clock.SeededClock(1)):
        waits = [retries.wait_after_break(get, attempt) or 0 for attempt in range(1, 6)]
    for wait, base in zip(waits, [1, 2, 4, 5, 5], strict=True):
        assert base <= wait <= base * 1.5
    assert len({wait / base for wait, base in zip(waits, [1, 2, 4, 5, 5], strict=True)}) == 5


def test_a_servers_wish_is_honoured_unless_it_is_too_long(scripted):
    get, retries = Request("GET", "/"), Retries()
    wait = retries.wait_after_response(get, scripted.failure(429, "", retry_after="9"), 1)
    assert wait is not None
    assert 9 <= wait <= 10
    assert retries.wait_after_response(get, scripted.failure(429, "", retry_after="900"), 1) is None
