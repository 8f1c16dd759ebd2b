"""What ``docker save`` wrote before it knew of OCI: a config and layers, named by manifest.json."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from kubewright.errors import ImageError, UsageError
from kubewright.image.blobs import Blob, BlobStore
from kubewright.image.content import ArchiveContent
from kubewright.image.layer import Layer, compress_layer
from kubewright.image.oci import (
    CONFIG,
    LAYER_GZIP,
    MANIFEST,
    Descriptor,
    JsonObject,
    Platform,
    decode,
    digest_of,
    encode,
)

_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class SavedImage:
    """The one image of an archive; ``digest`` is that of the manifest it has once it is pushed."""

    platform: Platform
    digest: str
    config: JsonObject
    layers: tuple[Layer, ...]


def read_docker_save(archive: ArchiveContent, store: BlobStore) -> SavedImage:
    """The image in ``archive``; its layers are put into ``store``, compressed.

    Raises:
        UsageError: the archive holds no image, or several.
        ImageError: it is damaged.
    """
    entry = _entry(archive)
    with archive.open(str(entry.get("Config"))) as file:
        data = file.read()
    config = decode(data, f"the config in {archive.path}")
    diff_ids = (config.get("rootfs") or {}).get("diff_ids") or []
    names = entry.get("Layers") or []
    if len(diff_ids) != len(names):
        raise ImageError(f"{archive.path} is damaged: {len(names)} layers, {len(diff_ids)} in its config")
    layers = tuple(
        _layer(archive, str(name), str(diff_id), store) for name, diff_id in zip(names, diff_ids, strict=True)
    )
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": Descriptor.of(CONFIG, data).to_json(),
        "layers": [layer.blob.descriptor.to_json() for layer in layers],
    }
    return SavedImage(Platform.from_json(config), digest_of(encode(manifest)), config, layers)


def _entry(archive: ArchiveContent) -> JsonObject:
    if not archive.has("manifest.json"):
        raise UsageError(
            f"{archive.path} is not an archive of an image: it has neither index.json nor manifest.json",
            hint="name a file that `docker save`, `podman save` or `kubewright build --output` wrote",
        )
    with archive.open("manifest.json") as file:
        try:
            entries = json.loads(file.read())
        except ValueError as error:
            raise ImageError(f"manifest.json in {archive.path} is not JSON: {error}") from error
    if not isinstance(entries, list) or len(entries) != 1 or not isinstance(entries[0], dict):
        raise UsageError(f"{archive.path} holds not one image but several", hint="save one alone")
    return entries[0]


def _layer(archive: ArchiveContent, name: str, diff_id: str, store: BlobStore) -> Layer:
    key = f"saved-{diff_id.partition(':')[2]}"
    known = store.recall(key)
    if known is not None:
        descriptor = Descriptor.from_json(known, str(archive.path))
        if store.holds(descriptor):
            return Layer(_blob(descriptor, store.path(descriptor.digest)), diff_id)
    with archive.open(name) as file:
        descriptor = _kept(file, diff_id, store, archive.path)
    store.remember(key, descriptor.to_json())
    return Layer(_blob(descriptor, store.path(descriptor.digest)), diff_id)


def _kept(file: IO[bytes], diff_id: str, store: BlobStore, path: Path) -> Descriptor:
    compressed = file.read(2) == _GZIP
    file.seek(0)
    if not compressed:
        layer = compress_layer(file, store, "")
        if layer.diff_id != diff_id:
            raise ImageError(f"a layer in {path} is not what its config says", hint="the archive is damaged")
        return layer.blob.descriptor
    with store.writing() as writer:
        while piece := file.read(2**20):
            writer.write(piece)
        writer.keep()
        return Descriptor(LAYER_GZIP, writer.digest, writer.size)


def _blob(descriptor: Descriptor, path: Path) -> Blob:
    return Blob(descriptor, path, f"base {descriptor.hex[:12]}")
