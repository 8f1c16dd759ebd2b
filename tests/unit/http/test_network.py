from __future__ import annotations

import asyncio
import gc
import gzip
import socket
import struct

import pytest

from kubewright import errors
from kubewright.http import NetworkTransport
from kubewright.wire import Request


async def test_a_request_arrives_as_it_was_meant(serve):
    async def echo(exchange):
        await exchange.answer(
            b"hello", "201 Created", "X-Some-Thing: a", "Warning: 299 - one", "Warning: 299 - two"
        )

    server = await serve(echo)
    transport = NetworkTransport(
        server.url + "/prefix/", headers=[("impersonate-group", "a"), ("impersonate-group", "b")]
    )
    response = await transport.send(
        Request(
            "POST", "/api/v1/x%2Fy", (("labelSelector", "a in (b,c)"), ("x", "1+1&2")), {"accept": "q"}, b"body"
        )
    )
    assert (response.status, await response.read()) == (201, b"hello")
    assert response.headers["x-some-thing"] == "a"
    assert response.headers["warning"] == "299 - one, 299 - two"
    (seen,) = server.exchanges
    assert (seen.method, seen.target) == (
        "POST",
        "/prefix/api/v1/x%2Fy?labelSelector=a%20in%20%28b%2Cc%29&x=1%2B1%262",
    )
    assert seen.body == b"body"
    assert [v for k, v in seen.headers if k == "impersonate-group"] == ["a", "b"]
    assert seen.header("accept") == "q"
    assert not seen.header("user-agent") + seen.header("accept-encoding")
    await transport.close()


async def test_a_large_body_goes_through_without_a_warning(serve):
    async def answer(exchange):
        await exchange.answer(str(len(exchange.body)).encode())

    server = await serve(answer)
    transport = NetworkTransport(server.url)
    response = await transport.send(Request("PUT", "/", body=b"x" * 3_000_000))
    assert await response.read() == b"3000000"
    assert server.exchanges[0].header("content-length") == "3000000"
    await transport.close()


async def test_connections_are_reused_and_bounded_but_streams_have_their_own(serve):
    gate = asyncio.Event()
    watching = asyncio.Event()

    async def handler(exchange):
        if exchange.target == "/watch":
            await exchange.send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n")
            watching.set()
            await exchange.be_silent()
        await gate.wait()
        await exchange.answer()

    server = await serve(handler)
    transport = NetworkTransport(server.url, connections=2)

    async def get() -> None:
        await (await transport.send(Request("GET", "/"))).read()

    requests = [asyncio.create_task(get()) for _ in range(6)]
    streams = [await transport.send(Request("GET", "/watch", stream=True)) for _ in range(3)]
    await watching.wait()
    gate.set()
    await asyncio.gather(*requests)
    assert server.connections == 2 + 3
    for stream in streams:
        await stream.close()
    await transport.close()


async def test_nothing_listens_there():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        transport = NetworkTransport(f"http://127.0.0.1:{port}")
        with pytest.raises(
            errors.ConnectionFailed, match=f"http://127.0.0.1:{port} refused the connection"
        ) as caught:
            await transport.send(Request("GET", "/"))
        assert "running" in caught.value.hint
        await transport.close()


async def test_a_host_that_does_not_exist():
    transport = NetworkTransport("https://no-such-host.invalid:6443")
    with pytest.raises(errors.ConnectionFailed, match=r"cannot find the host no-such-host\.invalid") as caught:
        await transport.send(Request("GET", "/"))
    assert "DNS" in caught.value.hint
    await transport.close()


@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE"])
@pytest.mark.parametrize("how", ["closed", "reset"])
async def test_a_connection_that_ends_without_an_answer(serve, how, method):
    async def hang_up(exchange):
        if how == "reset":
            exchange.writer.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
        exchange.writer.close()

    server = await serve(hang_up)
    transport = NetworkTransport(server.url)
    with pytest.raises(errors.ConnectionBroken, match=f"broke off: {method} /api"):
        await transport.send(Request(method, "/api"))
    assert len(server.exchanges) == 1
    await transport.close()


async def test_a_body_that_ends_too_early(serve):
    async def half(exchange):
        await exchange.send(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf")
        exchange.writer.close()

    server = await serve(half)
    transport = NetworkTransport(server.url)
    response = await transport.send(Request("GET", "/"))
    with pytest.raises(errors.ConnectionBroken, match="broke off"):
        await response.read()
    await transport.close()


async def test_a_stream_that_breaks_off_inside_a_chunk(serve):
    async def half(exchange):
        await exchange.send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nwhole\r\n10\r\nhalf")
        exchange.writer.close()

    server = await serve(half)
    transport = NetworkTransport(server.url)
    response = await transport.send(Request("GET", "/", stream=True))
    chunks = response.chunks()
    assert (await anext(chunks)).startswith(b"whole")
    with pytest.raises(errors.ConnectionBroken):
        await anext(chunks)
    await transport.close()


async def test_silence_before_the_head_is_a_timeout(serve):
    async def silent(exchange):
        await exchange.be_silent()

    server = await serve(silent)
    transport = NetworkTransport(server.url)
    with pytest.raises(errors.RequestTimeout, match="did not answer in time: GET /slow"):
        await transport.send(Request("GET", "/slow", timeout=0.1))
    await server.hung_up.wait()
    await transport.close()


async def test_silence_within_a_body_is_a_timeout(serve):
    async def silent(exchange):
        await exchange.send(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf")
        await exchange.be_silent()

    server = await serve(silent)
    transport = NetworkTransport(server.url, timeout=0.02)
    with pytest.raises(errors.RequestTimeout):
        await (await transport.send(Request("GET", "/"))).read()
    await transport.close()


async def test_a_stream_may_be_silent_for_its_idle_timeout_only(serve):
    async def silent(exchange):
        await exchange.send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nwhole\r\n")
        await exchange.be_silent()

    server = await serve(silent)
    transport = NetworkTransport(server.url)
    response = await transport.send(Request("GET", "/", stream=True, idle_timeout=0.3))
    chunks = response.chunks()
    assert await anext(chunks) == b"whole"
    with pytest.raises(errors.RequestTimeout):
        await anext(chunks)
    await server.hung_up.wait()
    await transport.close()


async def test_what_is_no_http_is_said_so(serve):
    async def smtp(exchange):
        await exchange.send(b"220 mail.example.com ESMTP\r\n\r\n")

    server = await serve(smtp)
    transport = NetworkTransport(server.url)
    with pytest.raises(errors.ConnectionFailed, match="does not speak HTTP"):
        await transport.send(Request("GET", "/"))
    await transport.close()


async def test_gzip_is_asked_for_where_told_and_undone(serve):
    async def packed(exchange):
        assert exchange.header("accept-encoding") == "gzip"
        await exchange.answer(gzip.compress(b"text" * 100), "200 OK", "content-encoding: gzip")

    server = await serve(packed)
    transport = NetworkTransport(server.url, compression=True)
    assert await (await transport.send(Request("GET", "/"))).read() == b"text" * 100
    await transport.close()


async def test_a_stream_closed_or_dropped_hangs_up(serve):
    async def endless(exchange):
        await exchange.send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n")
        await exchange.be_silent()

    server = await serve(endless)
    transport = NetworkTransport(server.url)
    response = await transport.send(Request("GET", "/", stream=True))
    await response.close()
    await response.close()
    await server.hung_up.wait()
    server.hung_up.clear()
    response = await transport.send(Request("GET", "/", stream=True))
    del response
    gc.collect()
    await server.hung_up.wait()
    await transport.close()


async def test_closing_ends_what_is_in_flight_and_refuses_more(serve):
    asked = asyncio.Event()

    async def silent(exchange):
        asked.set()
        await exchange.be_silent()

    server = await serve(silent)
    transport = NetworkTransport(server.url)
    request = asyncio.create_task(transport.send(Request("GET", "/")))
    await asked.wait()
    await transport.close()
    with pytest.raises(errors.ConnectionFailed):
        await request
    with pytest.raises(errors.ConnectionFailed, match="is closed"):
        await transport.send(Request("GET", "/"))
    await transport.close()


async def test_redirects_are_answers(serve):
    async def elsewhere(exchange):
        await exchange.answer(b"", "302 Found", "location: http://127.0.0.1:1/login")

    server = await serve(elsewhere)
    transport = NetworkTransport(server.url)
    response = await transport.send(Request("GET", "/"))
    assert response.status == 302
    await response.close()
    await transport.close()


def test_a_server_is_a_url():
    with pytest.raises(errors.UsageError, match=r"'cluster\.local' is not the URL of a server"):
        NetworkTransport("cluster.local")
