"""The gate that every write passes: Kubernetes has no fencing token, so a replica must stop itself."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from kubewright.runtime.election.tenure import Tenure
from kubewright.wire import Request, Response, Transport

_READS = frozenset({"GET", "HEAD", "OPTIONS"})


class FencedTransport(Transport):
    """Reads pass; a write begins only under a valid tenure, is short, and is cancelled when the tenure ends."""

    def __init__(self, inner: Transport, tenure: Tenure) -> None:
        self._inner = inner
        self._tenure = tenure

    async def send(self, request: Request) -> Response:
        """Send ``request``.

        Raises:
            NotLeading: it is a write, and this replica does not lead, or stopped leading before the answer came.
        """
        if request.method in _READS:
            return await self._inner.send(request)
        tenure = self._tenure
        tenure.check()
        if request.stream:
            return await self._inner.send(request)
        limit = tenure.write_timeout
        if limit is not None and (request.timeout is None or request.timeout > limit):
            request = replace(request, timeout=limit)
        scope = asyncio.timeout(None)
        try:
            async with scope:
                tenure.enter(scope)
                try:
                    return await self._inner.send(request)
                finally:
                    tenure.leave(scope)
        except TimeoutError:
            if scope.expired():
                tenure.check()
            raise

    async def close(self) -> None:
        """The inner transport is its owner's to close."""
