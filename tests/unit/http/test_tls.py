from __future__ import annotations

import pytest

from kubewright import errors
from kubewright.http import NetworkTransport, TlsConfig
from kubewright.wire import Request


async def hello(exchange):
    await exchange.answer(b"hello")


async def ask(url: str, tls: TlsConfig) -> bytes:
    transport = NetworkTransport(url, tls=tls)
    try:
        return await (await transport.send(Request("GET", "/"))).read()
    finally:
        await transport.close()


async def test_a_certificate_of_a_trusted_authority_will_do(serve, authority):
    server = await serve(hello, authority.server_context(*authority.issue("127.0.0.1")))
    assert await ask(server.url, TlsConfig(ca_pem=authority.pem)) == b"hello"


async def test_a_pinned_certificate_will_do_as_it_does_for_go(serve, authority):
    cert, key = authority.issue("127.0.0.1", self_signed=True)
    server = await serve(hello, authority.server_context(cert, key))
    assert await ask(server.url, TlsConfig(ca_pem=cert)) == b"hello"
    leaf, key = authority.issue("127.0.0.1")
    server = await serve(hello, authority.server_context(leaf, key))
    assert await ask(server.url, TlsConfig(ca_pem=leaf)) == b"hello"


async def test_an_untrusted_certificate(serve, authority):
    server = await serve(hello, authority.server_context(*authority.issue("127.0.0.1")))
    with pytest.raises(errors.CertificateError, match="is not trusted") as caught:
        await ask(server.url, TlsConfig())
    assert "certificate-authority" in caught.value.hint
    assert server.url in str(caught.value)
    assert await ask(server.url, TlsConfig(verify=False)) == b"hello"


async def test_an_expired_certificate(serve, authority):
    server = await serve(hello, authority.server_context(*authority.issue("127.0.0.1", days=-1)))
    with pytest.raises(errors.CertificateError, match="has expired"):
        await ask(server.url, TlsConfig(ca_pem=authority.pem))


async def test_a_certificate_for_another_name(serve, authority):
    server = await serve(hello, authority.server_context(*authority.issue("kubernetes.default")))
    with pytest.raises(errors.CertificateError, match="is for another name") as caught:
        await ask(server.url, TlsConfig(ca_pem=authority.pem))
    assert "tls-server-name" in caught.value.hint
    named = TlsConfig(ca_pem=authority.pem, server_name="kubernetes.default")
    assert await ask(server.url, named) == b"hello"


async def test_a_client_certificate_is_shown(serve, authority):
    context = authority.server_context(*authority.issue("127.0.0.1"), wants_client=True)
    server = await serve(hello, context)
    cert, key = authority.issue("alice")
    assert (
        await ask(server.url, TlsConfig(ca_pem=authority.pem, client_cert_pem=cert, client_key_pem=key)) == b"hello"
    )
    with pytest.raises(errors.TransportError):
        await ask(server.url, TlsConfig(ca_pem=authority.pem))


async def test_plain_http_on_the_other_side(serve):
    server = await serve(hello)
    with pytest.raises(errors.ConnectionFailed, match="does not speak TLS") as caught:
        await ask(server.url.replace("http:", "https:"), TlsConfig())
    assert "plain HTTP" in caught.value.hint


async def test_tls_on_the_other_side(serve, authority):
    server = await serve(hello, authority.server_context(*authority.issue("127.0.0.1")))
    with pytest.raises(errors.ConnectionFailed):
        await ask(server.url.replace("https:", "http:"), TlsConfig())


def test_what_is_no_certificate(authority):
    with pytest.raises(errors.CertificateError, match="authority is not a PEM certificate"):
        TlsConfig(ca_pem=b"nonsense").context()
    cert, _ = authority.issue("a")
    _, other_key = authority.issue("b")
    with pytest.raises(errors.CertificateError, match="key values mismatch"):
        TlsConfig(client_cert_pem=cert, client_key_pem=other_key).context()


def test_keys_stay_out_of_sight():
    assert "secret" not in repr(TlsConfig(client_key_pem=b"secret"))
