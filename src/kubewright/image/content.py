"""Where the bytes of an existing image come from: a folder, an archive, a registry."""

from __future__ import annotations

import tarfile
from pathlib import Path
from typing import IO, Protocol

from kubewright.errors import ConnectionBroken, ImageError, RequestTimeout, UsageError
from kubewright.image.blobs import BlobStore
from kubewright.image.oci import (
    DOCKER_LIST,
    DOCKER_MANIFEST,
    INDEX,
    INDEXES,
    MANIFEST,
    Descriptor,
    JsonObject,
    decode,
    digest_of,
)
from kubewright.image.progress import Progress
from kubewright.image.reference import Reference
from kubewright.image.registry import Registry

_ACCEPT = ", ".join((INDEX, MANIFEST, DOCKER_LIST, DOCKER_MANIFEST))
_TRIES = 4


class Content(Protocol):
    """Bytes by their descriptors."""

    async def document(self, descriptor: Descriptor) -> bytes:
        """A manifest, an index or a config."""
        ...

    async def file(self, descriptor: Descriptor) -> Path:
        """A layer, as a file."""
        ...

    @property
    def origin(self) -> str:
        """``registry/repository`` that has them, or empty."""
        ...


class LayoutContent:
    """An OCI layout: a folder of blobs."""

    origin = ""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def roots(self) -> JsonObject:
        """Its index.json.

        Raises:
            UsageError: the folder is no OCI layout.
        """
        path = self.folder / "index.json"
        if not (self.folder / "oci-layout").is_file() or not path.is_file():
            raise UsageError(
                f"{self.folder} is not an OCI layout: it needs the files oci-layout and index.json",
                hint="name a folder as `skopeo copy … oci:FOLDER` or `kubewright build --output FOLDER` writes it",
            )
        return decode(path.read_bytes(), str(path))

    async def document(self, descriptor: Descriptor) -> bytes:
        """A manifest, an index or a config."""
        data = (await self.file(descriptor)).read_bytes()
        return verified(data, descriptor, str(self.folder))

    async def file(self, descriptor: Descriptor) -> Path:
        """A layer, as a file."""
        path = self.folder / "blobs" / "sha256" / descriptor.hex
        if not path.is_file() or path.stat().st_size != descriptor.size:
            raise _damaged(str(self.folder), descriptor)
        return path


class ArchiveContent:
    """An archive of files, compressed or not: an OCI layout, or what ``docker save`` writes."""

    origin = ""

    def __init__(self, path: Path, store: BlobStore) -> None:
        self.path = path
        self._store = store
        try:
            self._archive = tarfile.open(path, "r:*")  # noqa: SIM115 - closed by close()
            self._members = {member.name.removeprefix("./"): member for member in self._archive.getmembers()}
        except (tarfile.TarError, EOFError, OSError) as error:
            raise UsageError(
                f"{path} is not an archive of an image: {error}",
                hint="name a file that `docker save`, `podman save` or `kubewright build --output` wrote",
            ) from error

    def close(self) -> None:
        """Close the file."""
        self._archive.close()

    def has(self, name: str) -> bool:
        """Whether it has a file of that name."""
        return name in self._members

    def open(self, name: str) -> IO[bytes]:
        """One of its files.

        Raises:
            ImageError: there is none of that name.
        """
        try:
            file = self._archive.extractfile(self._members[name])
        except KeyError:
            file = None
        if file is None:
            raise ImageError(f"{self.path} has no {name}, which it names itself", hint="the archive is damaged")
        return file

    async def document(self, descriptor: Descriptor) -> bytes:
        """A manifest, an index or a config."""
        with self.open(f"blobs/sha256/{descriptor.hex}") as file:
            return verified(file.read(), descriptor, str(self.path))

    async def file(self, descriptor: Descriptor) -> Path:
        """A layer, as a file, taken out of the archive."""
        if not self._store.holds(descriptor):
            with self.open(f"blobs/sha256/{descriptor.hex}") as source:
                _keep(source, descriptor, self._store, str(self.path))
        return self._store.path(descriptor.digest)


class RegistryContent:
    """A repository of a registry; what was fetched once is kept."""

    def __init__(self, registry: Registry, reference: Reference, store: BlobStore, progress: Progress) -> None:
        self._registry = registry
        self._reference = reference
        self._store = store
        self._progress = progress
        self._scope = f"repository:{reference.repository}:pull"

    @property
    def origin(self) -> str:
        """``registry/repository``."""
        return f"{self._reference.registry}/{self._reference.repository}"

    async def root(self) -> Descriptor:
        """What the reference stands for: an index or a manifest.

        Raises:
            RegistryError: the registry refuses, or has no such image.
        """
        reference = self._reference
        if reference.digest and (facts := self._store.recall(f"root-{reference.digest[7:]}")):
            return Descriptor.from_json(facts, str(reference))
        body, media_type = await self._fetch(reference.digest or reference.tag)
        descriptor = Descriptor(media_type, digest_of(body), len(body))
        if reference.digest and reference.digest != descriptor.digest:
            raise ImageError(
                f"{reference.registry} answered {descriptor.digest} for {reference}",
                hint="do not trust that registry",
            )
        self._store.put(media_type, body)
        self._store.remember(f"root-{descriptor.hex}", descriptor.to_json())
        return descriptor

    async def document(self, descriptor: Descriptor) -> bytes:
        """A manifest, an index or a config."""
        if not self._store.holds(descriptor):
            if descriptor.media_type in INDEXES or descriptor.media_type in (MANIFEST, DOCKER_MANIFEST):
                body, _ = await self._fetch(descriptor.digest)
                self._store.put(descriptor.media_type, verified(body, descriptor, str(self._reference)))
            else:
                await self.file(descriptor)
        return verified(self._store.path(descriptor.digest).read_bytes(), descriptor, str(self._store.folder))

    async def file(self, descriptor: Descriptor) -> Path:
        """A layer, fetched if it is not here yet; a broken connection is taken up where it broke."""
        if not self._store.holds(descriptor):
            await self._download(descriptor)
        return self._store.path(descriptor.digest)

    async def _fetch(self, name: str) -> tuple[bytes, str]:
        place = await self._registry.place(f"/v2/{self._reference.repository}/manifests/{name}")
        response = await self._registry.send("GET", place, scope=self._scope, headers={"accept": _ACCEPT})
        if response.status != 200:
            raise await self._registry.refusal(response, f"give the image {self._reference}")
        media_type = response.headers.get("content-type", "").partition(";")[0]
        return await response.read(), media_type

    async def _download(self, descriptor: Descriptor) -> None:
        place = await self._registry.place(f"/v2/{self._reference.repository}/blobs/{descriptor.digest}")
        title = f"{self._reference.familiar} {descriptor.hex[:12]}"
        tries = 0
        with self._store.writing() as writer:
            while writer.size < descriptor.size:
                headers = {"range": f"bytes={writer.size}-"} if writer.size else {}
                response = await self._registry.send("GET", place, scope=self._scope, headers=headers, stream=True)
                if response.status != (206 if writer.size else 200):
                    raise await self._registry.refusal(response, f"give the layer {descriptor.digest}")
                before = writer.size
                try:
                    async for piece in response.chunks():
                        writer.write(piece)
                        self._progress.moved(f"pull {title}", writer.size, descriptor.size)
                except (ConnectionBroken, RequestTimeout):
                    tries = 0 if writer.size > before else tries + 1
                    if tries == _TRIES:
                        raise
                else:
                    break
            if writer.digest != descriptor.digest:
                raise ImageError(
                    f"{self._reference.registry} gave other bytes than {descriptor.digest}", hint="try again"
                )
            writer.keep()


def verified(data: bytes, descriptor: Descriptor, where: str) -> bytes:
    """``data``, if it is what the descriptor names.

    Raises:
        ImageError: it is not.
    """
    if digest_of(data) != descriptor.digest:
        raise _damaged(where, descriptor)
    return data


def _keep(source: IO[bytes], descriptor: Descriptor, store: BlobStore, where: str) -> None:
    """Put what ``source`` gives into ``store``, if it is what the descriptor names.

    Raises:
        ImageError: it is not.
    """
    with store.writing() as writer:
        while piece := source.read(2**20):
            writer.write(piece)
        if writer.digest != descriptor.digest:
            raise _damaged(where, descriptor)
        writer.keep()


def _damaged(where: str, descriptor: Descriptor) -> ImageError:
    return ImageError(
        f"{where} does not hold {descriptor.digest} as it was written", hint="it is damaged: make or fetch it again"
    )
