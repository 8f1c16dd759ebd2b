"""Which requests are sent again, and when."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from kubewright import clock
from kubewright.client.status import retry_after
from kubewright.errors import ConnectionBroken
from kubewright.wire import Request, Response, Transport

_log = logging.getLogger("kubewright.client")

_IDEMPOTENT = frozenset({"GET", "HEAD"})
_APPLY = "application/apply-patch"


@dataclass(frozen=True, slots=True)
class Retries:
    """How often and how fast a request is sent again.

    A request that the server turned away (429 or 503 with ``Retry-After``) is always sent again: it was not
    carried out. What may have been carried out (the connection broke off, 502, 504, or 500 with
    ``Retry-After``) is sent again only where doing it twice is doing it once: reads and server-side apply.

    Attributes:
        attempts: sent at most so often in all; 1 never retries.
        base: seconds of the first wait, doubled each time, with jitter of up to half of it.
        cap: no wait of ours is longer, in seconds; a server's ``Retry-After`` is waited for up to ``longest``.
        longest: a ``Retry-After`` above this many seconds is not waited for: the error is raised.
    """

    attempts: int = 6
    base: float = 0.1
    cap: float = 5.0
    longest: float = 60.0

    def wait_after_response(self, request: Request, response: Response, attempt: int) -> float | None:
        """Seconds to wait before sending again, or None to leave it at this response."""
        status = response.status
        if status < 429 or attempt >= self.attempts:
            return None
        asked = retry_after(response.headers)
        if status in {429, 503} and asked is not None:
            retried = True
        elif status == 500:
            retried = asked is not None and repeatable(request)
        else:
            retried = status in {429, 502, 503, 504} and repeatable(request)
        if not retried or (asked or 0) > self.longest:
            return None
        return clock.jitter(max(asked or 0.0, self._backoff(attempt)), 0.1 if asked else 0.5)

    def wait_after_break(self, request: Request, attempt: int) -> float | None:
        """Seconds to wait after the connection broke off, or None to raise."""
        if attempt >= self.attempts or not repeatable(request):
            return None
        return clock.jitter(self._backoff(attempt), 0.5)

    def _backoff(self, attempt: int) -> float:
        return float(min(self.cap, self.base * 2 ** (attempt - 1)))


def repeatable(request: Request) -> bool:
    """Whether sending ``request`` twice leaves the same as sending it once."""
    return request.method in _IDEMPOTENT or request.headers.get("content-type", "").startswith(_APPLY)


async def send(transport: Transport, request: Request, retries: Retries) -> Response:
    """Send ``request``, again where ``retries`` says so.

    Raises:
        TransportError: no response came.
    """
    attempt = 1
    while True:
        try:
            response = await transport.send(request)
        except ConnectionBroken:
            wait = retries.wait_after_break(request, attempt)
            if wait is None:
                raise
        else:
            if response.status < 429:
                return response
            wait = retries.wait_after_response(request, response, attempt)
            if wait is None:
                return response
            await response.read()
        _log.debug("%s %s: attempt %d failed, again in %.1f s", request.method, request.path, attempt, wait)
        await clock.sleep(wait)
        attempt += 1
