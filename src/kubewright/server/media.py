"""Media types: what a client wants to read, what it sent, and how the two are met."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from typing import Any

import msgspec
import yaml

from kubewright.server import status

JSON = "application/json"
YAML = "application/yaml"
APPLY_PATCH = "application/apply-patch+yaml"
PROTOBUF = "application/vnd.kubernetes.protobuf"
JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_MERGE_PATCH = "application/strategic-merge-patch+json"

GZIP_THRESHOLD = 128 * 1024
"""Bytes from which on a response is compressed for those who accept it, as in apiserver."""

# What apiserver lists in 406 answers; protobuf and CBOR are negotiated away here.
_SERVED = (JSON, YAML)

_META_VERSIONS = ("v1", "v1beta1")


def _number(text: str) -> int | float:
    # Go writes a whole float without its point: a client reads 1 where 1.0 was sent.
    value = float(text)
    return int(value) if value.is_integer() and abs(value) < 1e21 else value


encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(float_hook=_number).decode

# Written as sigs.k8s.io/yaml writes: block style, keys sorted, lists not indented.
_YamlDumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
YamlLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Accepted:
    """What to answer with.

    Attributes:
        yaml: YAML instead of JSON.
        transform: ``Table``, ``PartialObjectMetadata``, ``PartialObjectMetadataList`` or empty.
        version: of ``meta.k8s.io`` for what it is transformed to: v1 or v1beta1.
    """

    yaml: bool = False
    transform: str = ""
    version: str = "v1"

    @property
    def content_type(self) -> str:
        """The media type of the answer."""
        return YAML if self.yaml else JSON


_PLAIN = Accepted()


def negotiate(accept: str, transforms: tuple[str, ...] = ()) -> Accepted:
    """The first of the acceptable media types, in order of quality, that is served here.

    Args:
        accept: the header.
        transforms: the kinds that ``;as=…;g=meta.k8s.io;v=v1`` may ask for.

    Raises:
        StatusError: 406, none of them is.
    """
    if not accept or accept in ("*/*", JSON):
        return _PLAIN
    clauses = []
    transformed = False
    for clause in accept.split(","):
        kind, *parameters = (part.strip() for part in clause.split(";"))
        given = dict(parameter.partition("=")[::2] for parameter in parameters)
        try:
            quality = float(given.pop("q", 1.0))
        except ValueError:
            quality = 1.0
        clauses.append((quality, kind, given))
    for _, kind, given in sorted(clauses, key=lambda clause: -clause[0]):
        if kind not in (JSON, YAML, "*/*", "application/*"):
            continue
        wanted = given.get("as", "")
        version = given.get("v", "")
        if wanted and (
            wanted not in transforms or given.get("g") != "meta.k8s.io" or version not in _META_VERSIONS
        ):
            transformed = True
            continue
        return Accepted(kind == YAML, wanted, version or "v1")
    if transformed:
        why = f"only the following media types are accepted: {', '.join(_SERVED)}"
        raise status.failure(406, "NotAcceptable", why)
    raise status.not_acceptable(_SERVED)


def content_type(header: str) -> str:
    """The media type of a body, without its parameters; JSON if none is given."""
    kind = header.partition(";")[0].strip().lower()
    return kind or JSON


def to_yaml(body: bytes) -> bytes:
    """JSON as YAML."""
    dumped: str = yaml.dump(decode(body), Dumper=_YamlDumper, default_flow_style=False, allow_unicode=True)
    return dumped.encode()


def compress(body: bytes) -> bytes:
    """``body`` gzipped, as fast as apiserver does it."""
    return gzip.compress(body, compresslevel=1, mtime=0)
