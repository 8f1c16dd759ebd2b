"""One blob on its way into a repository: not sent if it is there, mounted if the registry has it elsewhere."""

from __future__ import annotations

import re
from pathlib import Path

from kubewright import clock
from kubewright.errors import ConnectionBroken, RequestTimeout
from kubewright.image.blobs import Blob
from kubewright.image.progress import Progress
from kubewright.image.registry import AGAIN, Place, Registry

_CHUNK = 8 * 2**20
_TRIES = 5
_LATER = "the registry is overloaded or broken: try again later; what is there is not sent again"
_BINARY = "application/octet-stream"


class Upload:
    """Brings one blob into a repository; a broken connection is taken up where it broke."""

    def __init__(self, registry: Registry, repository: str, blob: Blob, progress: Progress) -> None:
        self._registry = registry
        self._repository = repository
        self._blob = blob
        self._progress = progress
        self._scope = f"repository:{repository}:pull,push"
        self._title = f"push {blob.title or blob.descriptor.hex[:12]}"
        self._chunk = _CHUNK
        self._in_chunks = True

    async def run(self) -> None:
        """Do it.

        Raises:
            TransportError: the connection breaks again and again.
            RegistryError: the registry refuses.
        """
        size = self._blob.descriptor.size
        if await self._there():
            self._progress.step(f"{self._title}: there already")
            return
        place = await self._begin()
        if place is None:
            self._progress.step(f"{self._title}: mounted from {self._blob.origin}")
            return
        offset = failures = 0
        while True:
            try:
                after = await self._send(place, offset)
            except (ConnectionBroken, RequestTimeout):
                failures += 1
                if failures == _TRIES:
                    raise
                await clock.sleep(clock.jitter(0.1 * 2**failures, 0.5))
                resumed = await self._resume(place)
                if resumed is None:
                    break
                if resumed[1] > offset:
                    failures = 0
                place, offset = resumed
                continue
            if after is None:
                break
            place, offset = after
            self._progress.moved(self._title, offset, size)
        self._progress.moved(self._title, size, size)

    async def _there(self) -> bool:
        place = await self._registry.place(f"/v2/{self._repository}/blobs/{self._blob.descriptor.digest}")
        response = await self._registry.send("HEAD", place, scope=self._scope)
        await response.read()
        if response.status not in (200, 404):
            raise await self._registry.refusal(response, f"say whether {self._repository} has a layer")
        return response.status == 200

    async def _begin(self) -> Place | None:
        """Begin an upload; None when the registry has mounted the blob from another of its repositories."""
        query: tuple[tuple[str, str], ...] = ()
        scope = self._scope
        registry, _, origin = self._blob.origin.partition("/")
        if registry == self._registry.host and origin != self._repository:
            query = (("mount", self._blob.descriptor.digest), ("from", origin))
            scope = f"{scope} repository:{origin}:pull"
        place = await self._registry.place(f"/v2/{self._repository}/blobs/uploads/", *query)
        response = await self._registry.send("POST", place, scope=scope)
        if response.status not in (201, 202):
            raise await self._registry.refusal(response, f"take a layer of {self._repository}")
        await response.read()
        if response.status == 201:
            return None
        self._chunk = max(_CHUNK, int(response.headers.get("oci-chunk-min-length", "0")))
        return self._registry.follow(place, response)

    async def _send(self, place: Place, offset: int) -> tuple[Place, int] | None:
        """Send what comes next; where to go on and from which byte, or None after the last."""
        size = self._blob.descriptor.size
        last = not self._in_chunks or size - offset <= self._chunk
        body = _read(self._blob.path, offset, size - offset if last else self._chunk)
        headers = {"content-type": _BINARY}
        if last:
            target = place.with_query(("digest", self._blob.descriptor.digest))
            response = await self._registry.send(
                "PUT", target, scope=self._scope, headers=headers, body=body, tries=1
            )
        else:
            headers["content-range"] = f"{offset}-{offset + len(body) - 1}"
            response = await self._registry.send(
                "PATCH", place, scope=self._scope, headers=headers, body=body, tries=1
            )
        if response.status == 201 and last:
            await response.read()
            return None
        if response.status == 202 and not last:
            await response.read()
            return self._registry.follow(place, response), offset + len(body)
        if response.status in AGAIN:
            await response.read()
            raise ConnectionBroken(f"{self._registry.host} answered {response.status} to an upload", hint=_LATER)
        forgotten = response.status in (404, 416)
        no_chunks = not last and 400 <= response.status < 500 and response.status != 403
        if self._in_chunks and (forgotten or no_chunks):
            # Once more from the start, in one piece.
            await response.read()
            self._in_chunks = False
            begun = await self._begin()
            return (begun, 0) if begun is not None else None
        raise await self._registry.refusal(response, f"take a layer of {self._repository}")

    async def _resume(self, place: Place) -> tuple[Place, int] | None:
        """Ask how much has arrived; a registry that cannot say gets it anew. None when nothing is left to send."""
        response = await self._registry.send("GET", place, scope=self._scope)
        await response.read()
        if response.status == 204 and (
            last := re.fullmatch(r"(?:bytes=)?0-(\d+)", response.headers.get("range", ""))
        ):
            there = int(last[1])
            return self._registry.follow(place, response), there + 1 if there else 0
        begun = await self._begin()
        return (begun, 0) if begun is not None else None


def _read(path: Path, offset: int, length: int) -> bytes:
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(length)
