"""From layers to an image: config, manifest, bill of materials, index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from kubewright.image.base import BaseImage
from kubewright.image.blobs import Blob, BlobStore
from kubewright.image.interpreter import DEFAULT_PATH, Interpreter, environment
from kubewright.image.layer import Layer
from kubewright.image.oci import CONFIG, EMPTY, INDEX, MANIFEST, Descriptor, JsonObject, Platform, encode
from kubewright.image.reference import Reference
from kubewright.image.sbom import MEDIA_TYPE as BILL
from kubewright.image.sbom import timestamp
from kubewright.image.site import Package

USER = "65532:65532"
"""Nobody in particular, as in distroless images: Pods with ``runAsNonRoot`` need a number."""

WORKDIR = "/app"
PACKAGES = "/opt/kubewright/packages"
DEPENDENCIES = "/opt/kubewright/dependencies"


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest, and the blobs that it names."""

    descriptor: Descriptor
    data: bytes
    blobs: tuple[Blob, ...]


@dataclass(frozen=True, slots=True)
class Image:
    """One platform's image, and its bill of materials, which refers to it."""

    platform: Platform
    manifest: Manifest
    bill: Manifest


@dataclass(frozen=True, slots=True)
class Built:
    """An image for one platform or several.

    Attributes:
        index: names the images of several platforms; None for a single one.
        root: what the tag stands for: the index, or the one image's manifest.
    """

    reference: Reference
    images: tuple[Image, ...]
    index: bytes | None
    root: Descriptor


def labels(package: Package, base: tuple[str, str], epoch: int) -> dict[str, str]:
    """What ``org.opencontainers.image`` says of the project; ``base`` is the base's name and digest."""
    name, digest = base
    values = {
        "base.digest": digest,
        "base.name": name,
        "created": timestamp(epoch),
        "description": package.summary,
        "licenses": package.license,
        "source": package.urls.get("source") or package.urls.get("repository", ""),
        "title": package.name,
        "url": package.urls.get("homepage", ""),
        "version": package.version,
    }
    return {f"org.opencontainers.image.{key}": value for key, value in values.items() if value}


def make_config(
    base: BaseImage, layers: Sequence[Layer], python: Interpreter, texts: Mapping[str, str], epoch: int
) -> bytes:
    """The image's config: what runs, as whom, where.

    Args:
        base: its config is taken over where nothing is said here.
        layers: those on top of the base's.
        python: what runs.
        texts: labels.
        epoch: when it was made.
    """
    created = timestamp(epoch)
    inherited: JsonObject = dict(base.config.get("config") or {})
    variables = environment(base.config)
    variables["PATH"] = f"{PACKAGES}/bin:{DEPENDENCIES}/bin:{variables.get('PATH', DEFAULT_PATH)}"
    variables |= {
        "PYTHONPATH": f"{WORKDIR}:{PACKAGES}:{DEPENDENCIES}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
    }
    inherited.pop("Cmd", None)
    history = [*(base.config.get("history") or ())]
    history += [
        {"created": created, "created_by": layer.made_by, "comment": "kubewright build"} for layer in layers
    ]
    document: JsonObject = {
        **base.platform.to_json(),
        "created": created,
        "config": {
            **inherited,
            "Entrypoint": [python.program, "-m", "kubewright", "run"],
            "Env": [f"{name}={value}" for name, value in variables.items()],
            "Labels": {**(inherited.get("Labels") or {}), **texts},
            "User": USER,
            "WorkingDir": WORKDIR,
        },
        "history": history,
        "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in (*base.layers, *layers)]},
    }
    return encode(document)


def make_image(
    base: BaseImage, layers: Sequence[Layer], config: bytes, texts: Mapping[str, str], bill: bytes, store: BlobStore
) -> Image:
    """The manifest of an image, and that of its bill of materials."""
    config_blob = store.put(CONFIG, config, "config")
    blobs = (config_blob, *(layer.blob for layer in (*base.layers, *layers)))
    manifest = _manifest(
        {
            "config": config_blob.descriptor.to_json(),
            "layers": [blob.descriptor.to_json() for blob in blobs[1:]],
            "annotations": dict(texts),
        },
        blobs,
    )
    return Image(base.platform, manifest, _bill(manifest.descriptor, bill, texts, store))


def make_index(reference: Reference, images: Sequence[Image], texts: Mapping[str, str]) -> Built:
    """The images as one: themselves if there is one, an index of them otherwise."""
    if len(images) == 1:
        return Built(reference, tuple(images), None, images[0].manifest.descriptor)
    index = encode(
        {
            "schemaVersion": 2,
            "mediaType": INDEX,
            "manifests": [
                replace(image.manifest.descriptor, platform=image.platform).to_json() for image in images
            ],
            "annotations": dict(texts),
        }
    )
    return Built(reference, tuple(images), index, Descriptor.of(INDEX, index))


def _bill(subject: Descriptor, bill: bytes, texts: Mapping[str, str], store: BlobStore) -> Manifest:
    empty, blob = store.put(EMPTY, b"{}", "empty config"), store.put(BILL, bill, "bill of materials")
    created = "org.opencontainers.image.created"
    made = _manifest(
        {
            "artifactType": BILL,
            "config": empty.descriptor.to_json(),
            "layers": [blob.descriptor.to_json()],
            "subject": subject.to_json(),
            "annotations": {created: texts[created]},
        },
        (empty, blob),
    )
    return replace(made, descriptor=replace(made.descriptor, artifact_type=BILL))


def _manifest(document: JsonObject, blobs: tuple[Blob, ...]) -> Manifest:
    data = encode({"schemaVersion": 2, "mediaType": MANIFEST, **document})
    return Manifest(Descriptor.of(MANIFEST, data), data, blobs)
