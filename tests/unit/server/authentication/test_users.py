"""Who a request over the network or in memory is made by."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest

from kubewright import clock
from kubewright.http import NetworkTransport, TlsConfig
from kubewright.server import InMemoryTransport, Server, UserInfo, listen, service_account_user
from kubewright.wire import Request, Transport

REVIEW = "/apis/authentication.k8s.io/v1/selfsubjectreviews"


async def send(transport: Transport, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
    sent = b"" if body is None else json.dumps(body).encode()
    given = {"content-type": "application/json", **headers}
    response = await transport.send(Request(method, path, (), given, sent))
    return response.status, json.loads(await response.read())


async def whoami(transport: Transport, **headers: str) -> dict[str, Any]:
    code, review = await send(transport, "POST", REVIEW, {}, **headers)
    assert code == 201, review
    info: dict[str, Any] = review["status"]["userInfo"]
    return info


class Later(clock.Clock):
    """The machine's clock, ahead by some time."""

    def __init__(self, ahead: timedelta) -> None:
        self._ahead = ahead

    def now(self) -> datetime:
        return super().now() + self._ahead


@contextmanager
def later(**ahead: float) -> Iterator[None]:
    with clock.use(Later(timedelta(**ahead))):
        yield


@pytest.fixture
def server() -> Server:
    return Server()


async def token_of(transport: Transport, seconds: int = 600, **spec: Any) -> str:
    await send(transport, "POST", "/api/v1/namespaces/default/serviceaccounts", {"metadata": {"name": "robot"}})
    path = "/api/v1/namespaces/default/serviceaccounts/robot/token"
    code, request = await send(transport, "POST", path, {"spec": {"expirationSeconds": seconds, **spec}})
    assert code == 201, request
    token: str = request["status"]["token"]
    return token


async def test_in_memory_the_user_is_an_administrator_unless_told(server: Server) -> None:
    assert (await whoami(InMemoryTransport(server)))["groups"] == ["system:masters", "system:authenticated"]
    mara = await whoami(InMemoryTransport(server, UserInfo("mara", groups=("painters",))))
    assert mara == {"username": "mara", "groups": ["painters", "system:authenticated"]}
    robot = await whoami(InMemoryTransport(server, service_account_user("default", "robot")))
    assert robot["username"] == "system:serviceaccount:default:robot"
    assert robot["groups"] == ["system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"]


async def test_client_certificates(server: Server) -> None:
    listener = await listen(server)
    pair = listener.client_certificate("mara", ("painters", "dev"))
    tls = TlsConfig(ca_pem=listener.ca_pem, client_cert_pem=pair.certificate, client_key_pem=pair.key)
    transport = NetworkTransport(listener.url, tls=tls)
    try:
        user = await whoami(transport)
        assert user["username"] == "mara"
        assert user["groups"] == ["painters", "dev", "system:authenticated"]
        assert user["extra"]["authentication.kubernetes.io/credential-id"][0].startswith("X509SHA256=")
    finally:
        await transport.close()
        await listener.close()


async def test_the_listeners_token_is_an_administrators_until_it_closes(server: Server) -> None:
    listener = await listen(server)
    bearer = f"Bearer {listener.token}"
    transport = NetworkTransport(listener.url, tls=TlsConfig(ca_pem=listener.ca_pem))
    try:
        assert (await whoami(transport, authorization=bearer))["username"] == "admin"
        assert (await send(transport, "GET", "/api", authorization="Bearer wrong"))[0] == 401
        assert (await send(transport, "GET", "/version"))[0] == 200
        code, refused = await send(transport, "GET", "/api")
        assert (code, refused["message"]) == (403, 'forbidden: User "system:anonymous" cannot get path "/api"')
    finally:
        await transport.close()
        await listener.close()
    assert (await send(InMemoryTransport(server), "GET", "/api", authorization=bearer))[0] == 401


async def test_several_groups_by_several_headers(server: Server) -> None:
    listener = await listen(server, tls=False)
    headers = [
        ("authorization", f"Bearer {listener.token}"),
        ("impersonate-user", "jo"),
        ("impersonate-group", "a"),
        ("impersonate-group", "b"),
    ]
    transport = NetworkTransport(listener.url, headers=headers)
    try:
        assert (await whoami(transport))["groups"] == ["a", "b", "system:authenticated"]
    finally:
        await transport.close()
        await listener.close()


async def test_a_token_expires(server: Server) -> None:
    transport = InMemoryTransport(server)
    bearer = f"Bearer {await token_of(transport)}"
    with later(minutes=9):
        assert (await whoami(transport, authorization=bearer))["username"] == "system:serviceaccount:default:robot"
    with later(minutes=12):
        assert (await send(transport, "GET", "/api", authorization=bearer))[0] == 401
        body = {"spec": {"token": bearer.split()[1]}}
        _, review = await send(transport, "POST", "/apis/authentication.k8s.io/v1/tokenreviews", body)
    assert review["status"]["error"] == "[invalid bearer token, service account token has expired]"


async def test_a_token_that_was_tampered_with_is_refused(server: Server) -> None:
    transport = InMemoryTransport(server)
    header, payload, signature = (await token_of(transport)).split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    claims["sub"] = "system:serviceaccount:kube-system:robot"
    forged = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    for token in (
        f"{header}.{forged}.{signature}",
        f"{unsigned}.{payload}.",
        f"{header}.{payload}.",
        f"{header}.{payload}.AAAA",
        "a.b.c",
        "..",
    ):
        assert (await send(transport, "GET", "/api", authorization=f"Bearer {token}"))[0] == 401


async def test_another_servers_token_is_refused(server: Server) -> None:
    token = await token_of(InMemoryTransport(Server()))
    await token_of(InMemoryTransport(server))
    assert (await send(InMemoryTransport(server), "GET", "/api", authorization=f"Bearer {token}"))[0] == 401
