"""Addresses and node ports belong to one Service at a time."""

from __future__ import annotations

import json

from kubewright.objects import JsonObject
from kubewright.server import Server
from kubewright.wire import Request

PATH = "/api/v1/namespaces/default/services"


async def send(server: Server, method: str, path: str, body: JsonObject | None = None) -> tuple[int, JsonObject]:
    kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
    sent = b"" if body is None else json.dumps(body).encode()
    response = await server.handle(Request(method, path, (), {"content-type": kind}, sent))
    return response.status, json.loads(await response.read())


def service(name: str, **spec: object) -> JsonObject:
    return {"metadata": {"name": name}, "spec": {"ports": [{"port": 80}], "selector": {"a": "b"}, **spec}}


async def test_a_port_is_free_again_when_its_service_is_gone() -> None:
    server = Server()
    ports = [{"port": 80, "nodePort": 30002}]
    assert (await send(server, "POST", PATH, service("one", type="NodePort", ports=ports)))[0] == 201
    code, refused = await send(server, "POST", PATH, service("two", type="NodePort", ports=ports))
    assert code == 422
    assert refused["message"] == (
        'Service "two" is invalid: spec.ports[0].nodePort: Invalid value: 30002: provided port is already allocated'
    )
    await send(server, "DELETE", f"{PATH}/one")
    assert (await send(server, "POST", PATH, service("two", type="NodePort", ports=ports)))[0] == 201


async def test_a_port_taken_for_a_write_that_failed_is_not_lost() -> None:
    server = Server()
    ports = [{"port": 80, "nodePort": 30003}]
    await send(server, "POST", PATH, service("one"))
    code, _ = await send(server, "POST", PATH, service("one", type="NodePort", ports=ports))
    assert code == 409
    assert (await send(server, "POST", PATH, service("two", type="NodePort", ports=ports)))[0] == 201


async def test_what_was_given_is_kept_by_updates_that_do_not_name_it() -> None:
    server = Server()
    _, made = await send(server, "POST", PATH, service("one", type="NodePort"))
    changed = service("one", type="NodePort", selector={"c": "d"})
    changed["metadata"]["resourceVersion"] = made["metadata"]["resourceVersion"]
    code, kept = await send(server, "PUT", f"{PATH}/one", changed)
    assert code == 200
    assert kept["spec"]["clusterIP"] == made["spec"]["clusterIP"]
    assert kept["spec"]["ports"] == made["spec"]["ports"]


async def test_every_service_has_another_address() -> None:
    server = Server()
    made = [(await send(server, "POST", PATH, service(f"s{n}", type="NodePort")))[1]["spec"] for n in range(50)]
    assert len({spec["clusterIP"] for spec in made}) == 50
    assert len({spec["ports"][0]["nodePort"] for spec in made}) == 50
