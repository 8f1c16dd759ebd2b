"""Transports that answer as they are told."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable

import msgspec
import pytest

from kubewright.client import Client, Retries
from kubewright.wire import Request, Response, WholeResponse

Answer = Response | Exception


class Stream(Response):
    """A body in the pieces given; then its end, or an exception."""

    def __init__(self, pieces: Iterable[bytes], error: BaseException | None = None) -> None:
        self.status = 200
        self.headers = {}
        self.pieces = list(pieces)
        self.error = error
        self.closed = False

    async def read(self) -> bytes:
        return b"".join(self.pieces)

    async def chunks(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            yield piece
        if self.error is not None:
            raise self.error

    async def close(self) -> None:
        self.closed = True


class Script:
    """A transport whose answers are written down beforehand, or made by a function; it remembers the requests."""

    def __init__(self, answers: Iterable[Answer] | Callable[[Request], Answer]) -> None:
        self._answers = answers if callable(answers) else iter(answers)
        self.requests: list[Request] = []
        self.closed = False

    async def send(self, request: Request) -> Response:
        self.requests.append(request)
        answer = self._answers(request) if callable(self._answers) else next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def close(self) -> None:
        self.closed = True


def json(body: object, status: int = 200, **headers: str) -> WholeResponse:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return WholeResponse(status, {"content-type": "application/json", **names}, msgspec.json.encode(body))


def failure(code: int, reason: str, message: str = "", **headers: str) -> WholeResponse:
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason}
    return json({**body, "message": message}, code, **headers)


class Scripted:
    """What tests make scripts of."""

    stream = Stream
    json = staticmethod(json)
    failure = staticmethod(failure)

    @staticmethod
    def client(answers: Iterable[Answer] | Callable[[Request], Answer]) -> tuple[Client, Script]:
        """A client that does not wait between attempts, and its script."""
        script = Script(answers)
        return Client(script, retries=Retries(base=0)), script


@pytest.fixture
def scripted() -> type[Scripted]:
    return Scripted
