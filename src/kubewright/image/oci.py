"""What the OCI image specification writes down: media types, platforms, descriptors, JSON with one spelling."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kubewright.errors import ImageError, UsageError

JsonObject = dict[str, Any]

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
EMPTY = "application/vnd.oci.empty.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
LAYER_GZIP = "application/vnd.oci.image.layer.v1.tar+gzip"
LAYER_ZSTD = "application/vnd.oci.image.layer.v1.tar+zstd"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"

INDEXES = frozenset({INDEX, DOCKER_LIST})
MANIFESTS = frozenset({MANIFEST, DOCKER_MANIFEST})

# Docker's names for the same bytes.
OCI_LAYER = {
    "application/vnd.docker.image.rootfs.diff.tar": LAYER,
    "application/vnd.docker.image.rootfs.diff.tar.gzip": LAYER_GZIP,
    "application/vnd.docker.image.rootfs.diff.tar.zstd": LAYER_ZSTD,
}

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, order=True)
class Platform:
    """An operating system and a processor, in Go's words."""

    os: str
    architecture: str
    variant: str = ""

    @classmethod
    def parse(cls, text: str) -> Platform:
        """Read ``linux/amd64`` or ``linux/arm64/v8``.

        Raises:
            UsageError: it is neither.
        """
        parts = text.strip().split("/")
        if len(parts) not in (2, 3) or not all(parts):
            raise UsageError(f"{text!r} is not a platform", hint="for instance: --platform linux/amd64,linux/arm64")
        return cls(*parts).normalized()

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Platform:
        """As a descriptor or an image's config has it."""
        parts = (str(document.get(name) or "") for name in ("os", "architecture", "variant"))
        return cls(*parts).normalized()

    def normalized(self) -> Platform:
        """arm64 is v8 without saying so."""
        variant = "" if (self.architecture, self.variant) == ("arm64", "v8") else self.variant
        return Platform(self.os, self.architecture, variant)

    def to_json(self) -> JsonObject:
        """As a descriptor has it."""
        document = {"architecture": self.architecture, "os": self.os}
        return document | {"variant": self.variant} if self.variant else document

    def __str__(self) -> str:
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)


@dataclass(frozen=True, slots=True)
class Descriptor:
    """Names bytes by their digest."""

    media_type: str
    digest: str
    size: int
    platform: Platform | None = None
    artifact_type: str = ""
    annotations: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, media_type: str, data: bytes) -> Descriptor:
        """The descriptor of ``data``."""
        return cls(media_type, digest_of(data), len(data))

    @classmethod
    def from_json(cls, document: Mapping[str, Any], where: str) -> Descriptor:
        """As an index or a manifest has it; ``where`` names that in errors.

        Raises:
            ImageError: it is not a descriptor with a sha256 digest.
        """
        digest, size, media_type = (document.get(name) for name in ("digest", "size", "mediaType"))
        if not (isinstance(digest, str) and _DIGEST.fullmatch(digest)) or not isinstance(size, int):
            raise ImageError(
                f"{where} holds something that is no descriptor: {str(document)[:120]}",
                hint="the image is damaged, or of a kind that is not known here (digests must be sha256)",
            )
        platform = document.get("platform")
        return cls(
            str(media_type or ""),
            digest,
            size,
            Platform.from_json(platform) if isinstance(platform, dict) else None,
            str(document.get("artifactType") or ""),
            dict(document.get("annotations") or {}),
        )

    def to_json(self) -> JsonObject:
        """As an index or a manifest has it."""
        document: JsonObject = {"mediaType": self.media_type, "digest": self.digest, "size": self.size}
        if self.platform is not None:
            document["platform"] = self.platform.to_json()
        if self.artifact_type:
            document["artifactType"] = self.artifact_type
        if self.annotations:
            document["annotations"] = dict(sorted(self.annotations.items()))
        return document

    @property
    def hex(self) -> str:
        """The digest without its algorithm."""
        return self.digest.partition(":")[2]


def digest_of(data: bytes) -> str:
    """``sha256:…``."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def encode(document: JsonObject) -> bytes:
    """JSON in the one spelling that digests are taken of."""
    return json.dumps(document, separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode()


def decode(data: bytes, where: str) -> JsonObject:
    """A JSON object.

    Raises:
        ImageError: it is none.
    """
    try:
        document = json.loads(data)
    except ValueError as error:
        raise ImageError(f"{where} is not JSON: {error}", hint="the image is damaged") from error
    if not isinstance(document, dict):
        raise ImageError(f"{where} is not a JSON object", hint="the image is damaged")
    return document
