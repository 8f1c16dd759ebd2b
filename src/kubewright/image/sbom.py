"""The bill of materials: which packages an image holds, as CycloneDX JSON."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import quote

from kubewright.image.oci import JsonObject, Platform, encode
from kubewright.image.site import Package

MEDIA_TYPE = "application/vnd.cyclonedx+json"


def bill_of_materials(
    project: Package,
    packages: Sequence[Package],
    *,
    platform: Platform,
    base: tuple[str, str],
    epoch: int,
) -> bytes:
    """The bill of one platform's image; the same from the same packages.

    Args:
        project: what the image is made for.
        packages: all others that were put into it.
        platform: which of its images.
        base: name and digest of the base image, whose own content is not listed.
        epoch: when it was made, in seconds since 1970.
    """
    components = [_library(package) for package in sorted(packages, key=lambda each: (each.name, each.version))]
    base_name, base_digest = base
    components.append(
        {
            "type": "container",
            "bom-ref": "base-image",
            "name": base_name,
            "version": base_digest,
            "description": "the base image; its own packages are not listed here",
        }
    )
    document: JsonObject = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": timestamp(epoch),
            "tools": {"components": [{"type": "application", "name": "kubewright"}]},
            "component": {
                **_library(project),
                "type": "application",
                "properties": [{"name": "kubewright:platform", "value": str(platform)}],
            },
        },
        "components": components,
    }
    document["serialNumber"] = _serial_number(encode(document))
    return encode(document)


def timestamp(epoch: int) -> str:
    """Seconds since 1970 as images and bills write them."""
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _library(package: Package) -> JsonObject:
    purl = f"pkg:pypi/{quote(package.name)}@{quote(package.version)}"
    component: JsonObject = {
        "type": "library",
        "bom-ref": purl,
        "name": package.name,
        "version": package.version,
        "purl": purl,
    }
    if package.summary:
        component["description"] = package.summary
    if package.license:
        component["licenses"] = [{"expression": package.license}]
    return component


def _serial_number(data: bytes) -> str:
    """A UUID of what the bill says, so that the same bill has the same one (version 8: of one's own making)."""
    value = bytearray(hashlib.sha256(data).digest()[:16])
    value[6] = value[6] & 0x0F | 0x80
    value[8] = value[8] & 0x3F | 0x80
    text = value.hex()
    return f"urn:uuid:{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
