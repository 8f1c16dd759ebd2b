"""Answers to what nobody should send: the right status, and the server goes on."""

from __future__ import annotations

import gzip
import json

import pytest

from kubewright.server import Server
from kubewright.server.crd.jsonpath import BadPath, find
from kubewright.wire import Request, WholeResponse

PATH = "/api/v1/namespaces/default/configmaps"


async def send(
    server: Server,
    method: str,
    path: str,
    body: bytes = b"",
    content_type: str = "application/json",
    **headers: str,
) -> WholeResponse:
    sent = {"content-type": content_type, **{name.replace("_", "-"): value for name, value in headers.items()}}
    answer = await server.handle(Request(method, path, (), sent, body))
    assert isinstance(answer, WholeResponse)
    return answer


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"", "application/json", 400),
        (b"{", "application/json", 400),
        (b"null", "application/json", 400),
        (b"[]", "application/json", 400),
        (b'{"metadata":"a"}', "application/json", 400),
        (b'{"metadata":{"name":1}}', "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b'{"a":' * 100_000, "application/json", 400),
        (b"[" * 100_000, "application/yaml", 400),
        (b'{"metadata":{"name":"x"},"data":' + b'{"a":' * 5000 + b"1" + b"}" * 5001, "application/json", 400),
        (b"a" * (3 * 1024 * 1024 + 1), "application/json", 413),
        (b"{}", "text/plain", 415),
        (b"k8s\x00\xff\xff\xff", "application/vnd.kubernetes.protobuf", 400),
        (b"nonsense", "application/vnd.kubernetes.protobuf", 400),
    ],
    ids=lambda value: str(value[:12]) if isinstance(value, bytes) else None,
)
async def test_strange_bodies(body: bytes, content_type: str, status: int) -> None:
    server = Server()
    assert (await send(server, "POST", PATH, body, content_type)).status == status
    assert (await send(server, "GET", PATH)).status == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200),
        ("//", 200),
        ("/api/v1/namespaces/default/configmaps/..%2f..%2fsecrets", 404),
        ("/api/v1/namespaces/default/configmaps/%2e%2e", 400),
        ("/api/v1/namespaces/default/configmaps/%25", 400),
        ("/api/v1/namespaces/default/configmaps/%00", 404),
        ("/api/v1/namespaces/default/configmaps/%ff", 404),
        ("/api/v1/namespaces/default/configmaps/a/b/c/d", 404),
        ("/api/v1/namespaces/%2e%2e/configmaps", 200),
        ("/apis/../api", 404),
        ("/" + "a/" * 2000, 404),
    ],
)
async def test_strange_paths(path: str, status: int) -> None:
    assert (await send(Server(), "GET", path)).status == status


async def test_large_answers_are_compressed_for_who_takes_it() -> None:
    server = Server()
    body = {"metadata": {"name": "big"}, "data": {"text": "x" * 200_000}}
    await send(server, "POST", PATH, json.dumps(body).encode())
    plain = await send(server, "GET", f"{PATH}/big")
    packed = await send(server, "GET", f"{PATH}/big", accept_encoding="gzip, br")
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert len(packed.body) < 10_000
    assert gzip.decompress(packed.body) == plain.body
    small = await send(server, "GET", "/api/v1/namespaces/default", accept_encoding="gzip")
    assert "content-encoding" not in small.headers


async def test_protobuf_bodies_of_built_in_kinds_are_read() -> None:
    def field(number: int, content: bytes) -> bytes:
        return bytes([number << 3 | 2, len(content)]) + content

    entry = field(1, b"key") + field(2, b"value")
    config_map = field(1, field(1, b"packed")) + field(2, entry)
    envelope = field(1, field(1, b"v1") + field(2, b"ConfigMap")) + field(2, config_map)
    answer = await send(Server(), "POST", PATH, b"k8s\0" + envelope, "application/vnd.kubernetes.protobuf")
    assert answer.status == 201
    created = json.loads(answer.body)
    assert (created["metadata"]["name"], created["data"]) == ("packed", {"key": "value"})


async def test_generated_names_are_all_different() -> None:
    server = Server()
    names = set()
    for _ in range(50):
        answer = await send(server, "POST", PATH, json.dumps({"metadata": {"generateName": "n" * 70}}).encode())
        names.add(json.loads(answer.body)["metadata"]["name"])
    assert len(names) == 50
    assert {len(name) for name in names} == {63}


PODS = {"items": [{"n": "a", "on": True, "at": 1}, {"n": "b", "on": False, "at": 5}], "x.y": {"z": [1, 2, 3]}}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (".items[0].n", "a"),
        ("{.items[-1].n}", "b"),
        ("items[5].n", None),
        (".items[*].n", "a"),
        ('.items[?(@.n=="b")].at', 5),
        (".items[?(@.at>1)].n", "b"),
        (".items[?(@.on==false)].n", "b"),
        (r".x\.y.z[1]", 2),
        ("['x.y'].z[1:2]", 2),
        ("..z", [1, 2, 3]),
        (".missing.deep", None),
        (".", PODS),
    ],
)
def test_json_paths(path: str, found: object) -> None:
    assert find(path, PODS) == found


@pytest.mark.parametrize("path", [".a[", ".a[?(", ".a[?(@.b ~ 1)]", ".a]"])
def test_json_paths_that_cannot_be_read(path: str) -> None:
    with pytest.raises(BadPath):
        find(path, {})
