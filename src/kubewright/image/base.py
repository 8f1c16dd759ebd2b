"""The image that another one stands on: where it is from, its platforms, its Python."""

from __future__ import annotations

import platform as machine
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from kubewright.errors import ImageError, UsageError
from kubewright.image.blobs import Blob, BlobStore
from kubewright.image.content import ArchiveContent, Content, LayoutContent, RegistryContent
from kubewright.image.credentials import DockerConfig
from kubewright.image.docker_save import read_docker_save
from kubewright.image.interpreter import Interpreter, find_interpreters
from kubewright.image.layer import Layer
from kubewright.image.oci import (
    INDEXES,
    MANIFESTS,
    OCI_LAYER,
    Descriptor,
    JsonObject,
    Platform,
    decode,
)
from kubewright.image.progress import Progress
from kubewright.image.reference import Reference
from kubewright.image.registry import Registry

FoundT = TypeVar("FoundT")

_ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


@dataclass(frozen=True, slots=True)
class BaseImage:
    """One platform's image, its layers in files here."""

    platform: Platform
    digest: str
    config: JsonObject
    layers: tuple[Layer, ...]

    def interpreters(self, store: BlobStore) -> list[Interpreter]:
        """Every Python that its PATH leads to; the look into its layers is taken once."""
        key = f"python-{self.digest.partition(':')[2]}"
        known = store.recall(key)
        if known is None:
            files = [(layer.blob.descriptor.media_type, layer.blob.path) for layer in self.layers]
            found = find_interpreters(files, self.config)
            known = {"found": [[each.program, each.minor, each.musl] for each in found]}
            store.remember(key, known)
        return [Interpreter(program, minor, musl) for program, minor, musl in known["found"]]


@dataclass(frozen=True, slots=True)
class Base:
    """A base image.

    Attributes:
        name: as it is written into the image: the reference, or the file's name.
        digest: what that name stands for now.
        images: one for each platform that was asked for.
    """

    name: str
    digest: str
    images: tuple[BaseImage, ...]


async def read_base(
    name: str, platforms: Sequence[Platform], store: BlobStore, config: DockerConfig, progress: Progress
) -> Base:
    """Read the base image ``name``: the path of an OCI layout or an archive, or a reference.

    Args:
        name: as ``--base`` has it.
        platforms: those asked for; none for the only one there is, or this machine's.
        store: where layers are kept.
        config: credentials of registries.
        progress: told what is fetched.

    Raises:
        UsageError: there is no such file, it holds no image, or none for a platform.
        ImageError: it is damaged.
        TransportError: its registry cannot be reached.
    """
    path = Path(name).expanduser()  # noqa: ASYNC240 - nothing else runs on this loop
    if path.exists():
        return await _read_files(path, platforms, store)
    if name.startswith(("/", ".", "~")) or path.suffix in (".tar", ".tgz", ".gz"):
        raise UsageError(f"--base {name}: there is no such file or folder", hint="check the path")
    reference = Reference.parse(name)
    async with AsyncExitStack() as stack:
        registry = Registry(reference.registry, config)
        stack.push_async_callback(registry.close)
        content = RegistryContent(registry, reference, store, progress)
        root = await content.root()
        images = await _images(root, content, platforms, str(reference))
        return Base(reference.name, root.digest, images)


async def _read_files(path: Path, platforms: Sequence[Platform], store: BlobStore) -> Base:
    if path.is_dir():  # noqa: ASYNC240 - nothing else runs on this loop
        layout = LayoutContent(path)
        return await _from_roots(path.name, layout.roots(), layout, platforms, str(path))
    archive = ArchiveContent(path, store)
    try:
        if archive.has("index.json") and archive.has("oci-layout"):
            with archive.open("index.json") as file:
                roots = decode(file.read(), f"index.json in {path}")
            return await _from_roots(path.name, roots, archive, platforms, str(path))
        saved = read_docker_save(archive, store)
        found = BaseImage(saved.platform, saved.digest, saved.config, saved.layers)
        _choose({saved.platform: found}, platforms, str(path))
        return Base(path.name, saved.digest, (found,))
    finally:
        archive.close()


async def _from_roots(
    name: str, roots: JsonObject, content: Content, platforms: Sequence[Platform], where: str
) -> Base:
    """From an index.json: its one image, or its images of different platforms."""
    listed = _descriptors(roots, "manifests", where)
    candidates = [each for each in listed if _is_image(each)]
    if not candidates:
        raise UsageError(f"{where} holds no image", hint="look at its index.json")
    if len(candidates) == 1:
        return Base(name, candidates[0].digest, await _images(candidates[0], content, platforms, where))
    known = [each.platform for each in candidates]
    if None in known or len(set(known)) < len(known):
        names = (each.annotations.get("org.opencontainers.image.ref.name", each.digest) for each in candidates)
        raise UsageError(
            f"{where} holds {len(candidates)} images: {', '.join(names)}", hint="make one with a single image"
        )
    by_platform = {each.platform: each for each in candidates if each.platform is not None}
    chosen = _choose(by_platform, platforms, where)
    found = [await _image(each, content, where) for each in chosen]
    return Base(name, found[0].digest if len(found) == 1 else "", tuple(found))


async def _images(
    root: Descriptor, content: Content, platforms: Sequence[Platform], where: str
) -> tuple[BaseImage, ...]:
    if root.media_type not in INDEXES:
        image = await _image(root, content, where)
        _choose({image.platform: image}, platforms, where)
        return (image,)
    index = decode(await content.document(root), f"the index of {where}")
    listed = [each for each in _descriptors(index, "manifests", where) if _is_image(each)]
    by_platform = {each.platform: each for each in listed if each.platform is not None}
    return tuple([await _image(each, content, where) for each in _choose(by_platform, platforms, where)])


async def _image(descriptor: Descriptor, content: Content, where: str) -> BaseImage:
    if descriptor.media_type not in MANIFESTS:
        raise ImageError(
            f"{where} is {descriptor.media_type or 'of an unknown kind'}, which is not an image",
            hint="name an image; artifacts and images of schema 1 will not do",
        )
    manifest = decode(await content.document(descriptor), f"the manifest of {where}")
    config_descriptor = Descriptor.from_json(manifest.get("config") or {}, where)
    config = decode(await content.document(config_descriptor), f"the config of {where}")
    layers = _descriptors(manifest, "layers", where)
    diff_ids = (config.get("rootfs") or {}).get("diff_ids") or []
    if len(diff_ids) != len(layers):
        raise ImageError(f"{where} is not an image: {len(layers)} layers, {len(diff_ids)} in its config")
    found = []
    for layer, diff_id in zip(layers, diff_ids, strict=True):
        media_type = OCI_LAYER.get(layer.media_type, layer.media_type)
        blob = Blob(
            Descriptor(media_type, layer.digest, layer.size),
            await content.file(layer),
            f"base {layer.hex[:12]}",
            content.origin,
        )
        found.append(Layer(blob, str(diff_id)))
    return BaseImage(Platform.from_json(config), descriptor.digest, config, tuple(found))


def _descriptors(document: JsonObject, name: str, where: str) -> list[Descriptor]:
    return [Descriptor.from_json(each, where) for each in document.get(name) or ()]


def _is_image(descriptor: Descriptor) -> bool:
    """Not a bill of materials, a signature or an attestation."""
    unknown = descriptor.platform is not None and descriptor.platform.os == "unknown"
    kind = descriptor.media_type in INDEXES or descriptor.media_type in MANIFESTS
    return kind and not unknown and not descriptor.artifact_type


def _choose(found: Mapping[Platform, FoundT], wanted: Sequence[Platform], where: str) -> list[FoundT]:
    """Those for the platforms asked for: if none is, the only one there is, or this machine's."""
    if not wanted:
        wanted = list(found) if len(found) == 1 else [this_machine()]
    if missing := [str(platform) for platform in wanted if platform not in found]:
        raise UsageError(
            f"the base image {where} is not there for {', '.join(missing)}",
            hint=f"it is for {', '.join(map(str, sorted(found)))}: choose --platform of these, or another --base",
        )
    return [found[platform] for platform in wanted]


def this_machine() -> Platform:
    """Linux on this machine's processor."""
    architecture = machine.machine().lower()
    return Platform("linux", _ARCHITECTURES.get(architecture, architecture))
