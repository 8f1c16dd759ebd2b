"""Uploads to a registry that keeps what has arrived of a broken one, as the specification has it."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from kubewright.errors import ConnectionBroken, RegistryError
from kubewright.image import DockerConfig, Registry
from kubewright.image.blobs import Blob
from kubewright.image.oci import Descriptor
from kubewright.image.upload import Upload

DATA = bytes(range(256)) * 80_000


class Specified:
    """The upload of one blob by the distribution specification; breaks a connection where told to."""

    def __init__(
        self, *, cut_at: tuple[int, ...] = (), chunks: bool = True, overloaded: int = 0, keeps: bool = True
    ) -> None:
        self.arrived = b""
        self.received = 0
        self.done = False
        self._cut_at = list(cut_at)
        self._chunks = chunks
        self._keeps = keeps
        self._overloaded = overloaded

    def app(self) -> web.Application:
        app = web.Application(client_max_size=2**26)
        app.router.add_head("/v2/r/blobs/{digest}", self._head)
        app.router.add_post("/v2/r/blobs/uploads/", self._begin)
        app.router.add_get("/v2/r/blobs/uploads/1", self._status, allow_head=False)
        app.router.add_patch("/v2/r/blobs/uploads/1", self._patch)
        app.router.add_put("/v2/r/blobs/uploads/1", self._put)
        return app

    async def _head(self, request: web.Request) -> web.Response:
        return web.Response(status=200 if self.done else 404)

    async def _begin(self, request: web.Request) -> web.Response:
        self.arrived = b""
        return web.Response(status=202, headers={"Location": "/v2/r/blobs/uploads/1"})

    async def _status(self, request: web.Request) -> web.Response:
        return self._so_far(204)

    async def _patch(self, request: web.Request) -> web.Response:
        if not self._chunks:
            return web.Response(status=405)
        if request.headers["Content-Range"].partition("-")[0] != str(len(self.arrived)):
            return web.Response(status=416)
        if await self._take(request):
            return web.Response(status=500)
        return self._so_far(202)

    async def _put(self, request: web.Request) -> web.Response:
        if self._overloaded:
            self._overloaded -= 1
            return web.Response(status=503)
        if await self._take(request):
            return web.Response(status=500)
        digest = f"sha256:{hashlib.sha256(self.arrived).hexdigest()}"
        if request.query["digest"] != digest:
            return web.json_response({"errors": [{"code": "DIGEST_INVALID", "message": "other bytes"}]}, status=400)
        self.done = True
        return web.Response(status=201)

    async def _take(self, request: web.Request) -> bool:
        """Take the body; whether the connection was cut meanwhile."""
        async for piece in request.content.iter_any():
            self.arrived += piece
            self.received += len(piece)
            if self._cut_at and self.received > self._cut_at[0]:
                del self._cut_at[0]
                self.arrived = self.arrived if self._keeps else b""
                assert request.transport is not None
                request.transport.abort()
                return True
        return False

    def _so_far(self, status: int) -> web.Response:
        last = max(len(self.arrived) - 1, 0)
        return web.Response(status=status, headers={"Location": "/v2/r/blobs/uploads/1", "Range": f"0-{last}"})


class Told:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def step(self, words: str) -> None:
        self.lines.append(words)

    def moved(self, what: str, done: int, total: int) -> None:
        self.lines.append(f"{what}: {done}")


@asynccontextmanager
async def uploading(server: Specified, tmp_path: Path) -> AsyncIterator[tuple[Upload, Told]]:
    runner = web.AppRunner(server.app(), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    registry = Registry(f"{host}:{port}", DockerConfig(tmp_path / "config.json", {}))
    path = tmp_path / "blob"
    path.write_bytes(DATA)
    blob = Blob(Descriptor.of("application/x", DATA), path, "layer")
    told = Told()
    try:
        yield Upload(registry, "r", blob, told), told
    finally:
        await registry.close()
        await runner.cleanup()


async def test_a_broken_upload_goes_on_where_it_broke(tmp_path: Path) -> None:
    server = Specified(cut_at=(3_000_000, 12_000_000))
    async with uploading(server, tmp_path) as (upload, told):
        await upload.run()
        assert server.arrived == DATA
        assert server.received == len(DATA), "not a byte came twice"
        assert told.lines[-1] == f"push layer: {len(DATA)}"
        await upload.run()
        assert told.lines[-1] == "push layer: there already"


async def test_a_registry_that_takes_no_chunks_gets_one_piece(tmp_path: Path) -> None:
    server = Specified(chunks=False)
    async with uploading(server, tmp_path) as (upload, _):
        await upload.run()
        assert server.done


async def test_an_overloaded_registry_is_tried_again(tmp_path: Path) -> None:
    server = Specified(overloaded=1)
    async with uploading(server, tmp_path) as (upload, _):
        await upload.run()
        assert server.received == len(DATA)


async def test_a_connection_that_breaks_again_and_again_is_an_error(tmp_path: Path) -> None:
    server = Specified(cut_at=tuple(range(1, 100)), keeps=False)
    async with uploading(server, tmp_path) as (upload, _):
        async with asyncio.timeout(60):
            with pytest.raises(ConnectionBroken) as raised:
                await upload.run()
        assert "try again" in raised.value.hint


async def test_a_refusal_says_what_the_registry_said(tmp_path: Path) -> None:
    async with uploading(Specified(), tmp_path) as (upload, _):
        (tmp_path / "blob").write_bytes(b"x" * len(DATA))
        with pytest.raises(RegistryError, match="DIGEST_INVALID: other bytes"):
            await upload.run()
