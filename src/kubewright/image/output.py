"""Images as files: an OCI layout, or an archive that ``docker load`` reads."""

from __future__ import annotations

import io
import json
import os
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from kubewright.errors import UsageError
from kubewright.image.assemble import Built, Manifest
from kubewright.image.blobs import copy_file, replace_file, told_of
from kubewright.image.content import LayoutContent
from kubewright.image.layer import File
from kubewright.image.oci import INDEX, Descriptor, JsonObject, encode

_LAYOUT = b'{"imageLayoutVersion":"1.0.0"}'
_NAME = "io.containerd.image.name"
_REF_NAME = "org.opencontainers.image.ref.name"


def write_layout(built: Built, folder: Path) -> None:
    """Put the image into an OCI layout; other images that are there stay, one of the same name is replaced.

    Raises:
        UsageError: the folder is there and is something else.
        ImageError: the disk is full; the layout is as it was.
    """
    entries = _entries(built)
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"--output {folder} is a file", hint="name a folder, or an archive that ends in .tar")
    if folder.is_dir() and any(folder.iterdir()):
        names = {_name(entry) for entry in entries} - {None}
        digests = {entry["digest"] for entry in entries}
        there = LayoutContent(folder).roots().get("manifests") or []
        kept = [
            entry
            for entry in there
            if (_name(entry) not in names) and (_name(entry) is not None or entry["digest"] not in digests)
        ]
        entries = [*kept, *entries]
    blobs = folder / "blobs" / "sha256"
    with told_of(folder):
        blobs.mkdir(parents=True, exist_ok=True)
        for descriptor, file in _blobs(built):
            target = blobs / descriptor.hex
            if not target.is_file() or target.stat().st_size != descriptor.size:
                _place(file, target)
        replace_file(folder / "oci-layout", _LAYOUT)
        replace_file(folder / "index.json", _index(entries))


def write_archive(built: Built, path: Path) -> None:
    """Write the image as one file: an OCI layout and, for a single platform, what older ``docker load`` reads.

    Raises:
        ImageError: the disk is full; no file is left behind.
    """
    members: dict[str, File] = {
        "oci-layout": File(_LAYOUT),
        "index.json": File(_index(_entries(built))),
    }
    for descriptor, file in _blobs(built):
        members[f"blobs/sha256/{descriptor.hex}"] = file
    if built.index is None:
        members["manifest.json"] = File(_docker_manifest(built))
    with told_of(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as target, tarfile.open(fileobj=target, mode="w") as archive:
                for member, file in sorted(members.items()):
                    _add(archive, member, file)
            temporary.chmod(0o644)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def _entries(built: Built) -> list[JsonObject]:
    name = built.reference.name
    annotations = {_REF_NAME: built.reference.tag, _NAME: name}
    root = replace(built.root, annotations=annotations)
    if built.index is None:
        root = replace(root, platform=built.images[0].platform)
    return [root.to_json(), *(image.bill.descriptor.to_json() for image in built.images)]


def _name(entry: JsonObject) -> str | None:
    """The name of an image; a bill of materials has none."""
    return (entry.get("annotations") or {}).get(_NAME)


def _index(entries: list[JsonObject]) -> bytes:
    return encode({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries})


def _blobs(built: Built) -> Iterator[tuple[Descriptor, File]]:
    if built.index is not None:
        yield built.root, File(built.index)
    for image in built.images:
        for manifest in (image.manifest, image.bill):
            yield from _of_manifest(manifest)


def _of_manifest(manifest: Manifest) -> Iterator[tuple[Descriptor, File]]:
    for blob in manifest.blobs:
        yield blob.descriptor, File(blob.path)
    yield manifest.descriptor, File(manifest.data)


def _docker_manifest(built: Built) -> bytes:
    config, *layers = built.images[0].manifest.blobs
    entry = {
        "Config": f"blobs/sha256/{config.descriptor.hex}",
        "RepoTags": [built.reference.familiar],
        "Layers": [f"blobs/sha256/{layer.descriptor.hex}" for layer in layers],
    }
    return json.dumps([entry]).encode()


def _place(file: File, target: Path) -> None:
    if isinstance(file.source, bytes):
        replace_file(target, file.source)
        return
    handle, name = tempfile.mkstemp(prefix=".writing-", dir=target.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as copy:
            copy_file(file.source, copy)
        temporary.chmod(0o644)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def _add(archive: tarfile.TarFile, name: str, file: File) -> None:
    entry = tarfile.TarInfo(name)
    entry.mode = 0o644
    if isinstance(file.source, bytes):
        entry.size = len(file.source)
        archive.addfile(entry, io.BytesIO(file.source))
        return
    entry.size = file.source.stat().st_size
    with file.source.open("rb") as source:
        archive.addfile(entry, source)
