"""Layers: files in a compressed archive that is the same, bit for bit, whenever the files are."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, cast

from kubewright.image.blobs import Blob, BlobStore, BlobWriter
from kubewright.image.oci import LAYER_GZIP, Descriptor

_LEVEL = 6


@dataclass(frozen=True, slots=True)
class File:
    """A file of a layer: its bytes or where they are, and whether it is to be executed."""

    source: Path | bytes
    executable: bool = False

    def read(self) -> bytes:
        """Its bytes."""
        return self.source if isinstance(self.source, bytes) else self.source.read_bytes()


@dataclass(frozen=True, slots=True)
class Layer:
    """A blob that is a layer.

    Attributes:
        diff_id: the digest of the archive before it was compressed.
        made_by: what the image's history says of it.
    """

    blob: Blob
    diff_id: str
    made_by: str = ""


def make_layer(files: Mapping[str, File], folder: str, epoch: int, store: BlobStore, made_by: str) -> Layer:
    """A layer of ``files`` below ``folder``, owned by root and readable by all.

    Args:
        files: by their path below ``folder``.
        folder: absolute, in the image.
        epoch: the time of every entry, in seconds since 1970.
        store: where the layer is written.
        made_by: what the image's history says of it.

    Raises:
        ImageError: the disk is full.
    """
    prefix = folder.strip("/")
    named = {f"{prefix}/{name}": file for name, file in files.items()}
    folders = {str(parent) for name in named for parent in PurePosixPath(name).parents} - {"."}
    with store.writing() as writer:
        packing = _Packing(writer)
        with tarfile.open(
            fileobj=cast("IO[bytes]", packing), mode="w|", format=tarfile.PAX_FORMAT, bufsize=2**18
        ) as archive:
            for name in sorted([*folders, *named]):
                archive.addfile(*_entry(name, named.get(name), epoch))
        return packing.keep(store, made_by)


def compress_layer(source: IO[bytes], store: BlobStore, made_by: str) -> Layer:
    """An archive that is not compressed yet, as a layer."""
    with store.writing() as writer:
        packing = _Packing(writer)
        while piece := source.read(2**20):
            packing.write(piece)
        return packing.keep(store, made_by)


def _entry(name: str, file: File | None, epoch: int) -> tuple[tarfile.TarInfo, IO[bytes] | None]:
    entry = tarfile.TarInfo(name)
    entry.mtime = epoch
    if file is None:
        entry.type, entry.mode = tarfile.DIRTYPE, 0o755
        return entry, None
    data = file.read()
    entry.size = len(data)
    entry.mode = 0o755 if file.executable else 0o644
    return entry, io.BytesIO(data)


class _Packing:
    """An archive on its way into a blob: its digest is taken, then it is compressed."""

    def __init__(self, writer: BlobWriter) -> None:
        self._writer = writer
        self._hash = hashlib.sha256()
        # gzip asks of a file that it can be written to, and no more; so does tarfile of this one.
        target = cast("IO[bytes]", writer)
        self._gzip = gzip.GzipFile(filename="", mode="wb", compresslevel=_LEVEL, fileobj=target, mtime=0)

    def write(self, data: bytes) -> int:
        self._hash.update(data)
        return self._gzip.write(data)

    def keep(self, store: BlobStore, made_by: str) -> Layer:
        self._gzip.close()
        self._writer.keep()
        descriptor = Descriptor(LAYER_GZIP, self._writer.digest, self._writer.size)
        blob = Blob(descriptor, store.path(descriptor.digest), made_by)
        return Layer(blob, f"sha256:{self._hash.hexdigest()}", made_by)
