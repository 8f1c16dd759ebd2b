"""Bytes by their digest, in files: what is written is there whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from kubewright.errors import ImageError
from kubewright.image.oci import Descriptor, JsonObject

_PIECE = 2**20


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes that an image is made of, and where they are.

    Attributes:
        origin: ``registry/repository`` that has them already, or empty.
        title: what they are, for people.
    """

    descriptor: Descriptor
    path: Path
    title: str = ""
    origin: str = ""


class BlobStore:
    """A folder of blobs, and of small facts about them under keys of the caller's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, digest: str) -> Path:
        """Where the blob of that digest is, or would be."""
        algorithm, _, value = digest.partition(":")
        return self.folder / "blobs" / algorithm / value

    def holds(self, descriptor: Descriptor) -> bool:
        """Whether it is here, of the right size."""
        try:
            return self.path(descriptor.digest).stat().st_size == descriptor.size
        except OSError:
            return False

    def put(self, media_type: str, data: bytes, title: str = "") -> Blob:
        """Keep ``data``."""
        descriptor = Descriptor.of(media_type, data)
        if not self.holds(descriptor):
            with self.writing() as writer:
                writer.write(data)
                writer.keep()
        return Blob(descriptor, self.path(descriptor.digest), title)

    @contextmanager
    def writing(self) -> Iterator[BlobWriter]:
        """A blob that is being written; gone after the block unless :meth:`BlobWriter.keep` is called.

        Raises:
            ImageError: the disk is full, or the folder cannot be written to.
        """
        with told_of(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=".writing-", dir=self.folder)
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                writer = BlobWriter(self, file, temporary)
                with told_of(self.folder):
                    yield writer
                    file.flush()
            if writer.kept:
                writer.settle()
        finally:
            temporary.unlink(missing_ok=True)

    def remember(self, key: str, facts: Mapping[str, object]) -> None:
        """Keep ``facts`` under ``key``."""
        path = self.folder / "facts" / f"{key}.json"
        with told_of(self.folder):
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(path, json.dumps(facts, sort_keys=True).encode())

    def recall(self, key: str) -> JsonObject | None:
        """What was kept under ``key``, or None."""
        try:
            facts = json.loads((self.folder / "facts" / f"{key}.json").read_bytes())
        except (OSError, ValueError):
            return None
        return facts if isinstance(facts, dict) else None


class BlobWriter:
    """Writes one blob, and takes its digest on the way."""

    def __init__(self, store: BlobStore, file: IO[bytes], temporary: Path) -> None:
        self._store = store
        self._file = file
        self._temporary = temporary
        self._hash = hashlib.sha256()
        self.size = 0
        self.kept = False

    def write(self, data: bytes) -> int:
        """Append ``data``."""
        self._file.write(data)
        self._hash.update(data)
        self.size += len(data)
        return len(data)

    @property
    def digest(self) -> str:
        """Of what has been written so far."""
        return f"sha256:{self._hash.hexdigest()}"

    def keep(self) -> None:
        """Have it put into the store at the block's end."""
        self.kept = True

    def settle(self) -> None:
        """Give the file the name of its digest."""
        target = self._store.path(self.digest)
        with told_of(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            self._temporary.replace(target)


def cache_folder() -> Path:
    """Where layers and base images are kept between builds: ``kubewright/images`` in the user's cache folder."""
    if given := os.environ.get("XDG_CACHE_HOME"):
        base = Path(given)
    elif sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path.home() / ".cache"
    return base / "kubewright" / "images"


def replace_file(path: Path, data: bytes) -> None:
    """Write ``path`` whole, or leave it as it was."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def copy_file(source: Path, target: IO[bytes]) -> None:
    """All of ``source``, in pieces."""
    with source.open("rb") as file:
        while piece := file.read(_PIECE):
            target.write(piece)


@contextmanager
def told_of(path: Path) -> Iterator[None]:
    """A write that the system refuses, as an error that says where and what to do."""
    try:
        yield
    except OSError as error:
        raise unwritable(path, error) from error


def unwritable(path: Path, error: OSError) -> ImageError:
    """The error of a write to ``path`` that the system refused."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return ImageError(
            f"the disk of {path} is full; nothing was left half-written",
            hint="make room there, or point XDG_CACHE_HOME (layers), TMPDIR (wheels) or --output to another disk",
        )
    return ImageError(
        f"cannot write to {error.filename or path}: {error.strerror or error}",
        hint="look at the folder's permissions, or choose another one",
    )
