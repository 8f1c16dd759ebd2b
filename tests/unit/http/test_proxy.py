from __future__ import annotations

import asyncio
import base64

import pytest

from kubewright import errors
from kubewright.http import NetworkTransport, ProxyFromEnvironment, TlsConfig
from kubewright.wire import Request

ENVIRONMENT = {
    "HTTPS_PROXY": "http://proxy:3128",
    "HTTP_PROXY": "plain:3128",
    "NO_PROXY": "10.0.0.0/8, .svc,example.com,*.test,other.org:8443,2001:db8::/32,192.0.2.7",
}


@pytest.mark.parametrize(
    ("url", "proxy"),
    [
        ("https://kubernetes.io", "http://proxy:3128"),
        ("http://kubernetes.io", "http://plain:3128"),
        ("https://10.1.2.3:6443", ""),
        ("https://11.1.2.3:6443", "http://proxy:3128"),
        ("https://kubernetes.default.svc", ""),
        ("https://svc", "http://proxy:3128"),
        ("https://example.com", ""),
        ("https://api.example.com", ""),
        ("https://notexample.com", "http://proxy:3128"),
        ("https://a.test", ""),
        ("https://other.org:8443", ""),
        ("https://other.org", "http://proxy:3128"),
        ("https://[2001:db8::1]:6443", ""),
        ("https://192.0.2.7", ""),
        ("https://localhost:6443", ""),
        ("https://127.0.0.1:6443", ""),
        ("https://[::1]:6443", ""),
    ],
)
def test_who_is_reached_by_a_proxy(url, proxy):
    assert ProxyFromEnvironment.read(ENVIRONMENT).for_url(url) == proxy


def test_lower_case_wins_and_a_star_excepts_all():
    assert (
        ProxyFromEnvironment.read({"https_proxy": "a:1", "HTTPS_PROXY": "b:1"}).for_url("https://x") == "http://a:1"
    )
    assert ProxyFromEnvironment.read({"HTTPS_PROXY": "b:1", "no_proxy": "*"}).for_url("https://x") == ""
    assert ProxyFromEnvironment.read({}).for_url("https://x") == ""


async def tunnel(exchange):
    """What a proxy does with CONNECT: bytes to and fro."""
    host, _, port = exchange.target.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    await exchange.send(b"HTTP/1.1 200 Connection established\r\n\r\n")

    async def pump(source, sink):
        while data := await source.read(65536):
            sink.write(data)
        sink.close()

    await asyncio.gather(pump(exchange.reader, writer), pump(reader, exchange.writer))
    await writer.wait_closed()


async def hello(exchange):
    await exchange.answer(b"hello")


async def test_tls_goes_through_a_proxy_that_wants_a_password(serve, authority):
    server = await serve(hello, authority.server_context(*authority.issue("127.0.0.1")))
    proxy = await serve(tunnel)
    transport = NetworkTransport(
        server.url, tls=TlsConfig(ca_pem=authority.pem), proxy=proxy.url.replace("//", "//user:p%40ss@")
    )
    assert await (await transport.send(Request("GET", "/"))).read() == b"hello"
    await transport.close()
    (connect,) = proxy.exchanges
    assert (connect.method, connect.target) == ("CONNECT", f"127.0.0.1:{server.port}")
    assert connect.header("proxy-authorization") == "Basic " + base64.b64encode(b"user:p@ss").decode()
    assert not server.exchanges[0].header("proxy-authorization")


async def test_a_proxy_that_refuses(serve):
    async def refuse(exchange):
        await exchange.answer(b"", "407 Proxy Authentication Required")

    proxy = await serve(refuse)
    transport = NetworkTransport("https://kubernetes.example:6443", proxy=proxy.url)
    with pytest.raises(errors.ConnectionFailed, match=r"the proxy refused to connect.*407"):
        await transport.send(Request("GET", "/"))
    await transport.close()


async def test_a_proxy_that_is_not_there():
    transport = NetworkTransport("https://kubernetes.example:6443", proxy="http://127.0.0.1:1")
    with pytest.raises(errors.ConnectionFailed, match=r"cannot reach the proxy 127\.0\.0\.1:1") as caught:
        await transport.send(Request("GET", "/"))
    assert "HTTPS_PROXY" in caught.value.hint
    await transport.close()
