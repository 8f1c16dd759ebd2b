"""OpenAPI v3 documents, one for each group and version, as they come and go."""

from __future__ import annotations

import gzip
import hashlib
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

from kubewright.objects import JsonObject
from kubewright.server import media, status
from kubewright.wire import Request, WholeResponse

if TYPE_CHECKING:
    from kubewright.server.resources import ServedResources


_V2_PROTOBUF = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"


def _v2() -> bytes:
    """A v2 document without schemas, which says where they are, in protobuf.

    kubectl looks there for a kind that the v3 documents do not have, and gives up on any failure. Where it finds
    nothing, it goes on to say that the kind's CRD is not installed.
    """

    def field(number: int, value: bytes) -> bytes:
        return bytes([number << 3 | 2, len(value)]) + value

    info = field(1, b"Kubernetes") + field(2, b"unversioned") + field(3, b"Schemas are in /openapi/v3 alone.")
    return field(1, b"2.0") + field(2, info) + field(8, b"")


_V2 = _v2()


@lru_cache(maxsize=64)
def recorded(group: str, version: str) -> bytes | None:
    """The document of a built-in group version, as Kubernetes serves it."""
    name = f"{group or 'core'}__{version}.json.gz"
    found = files("kubewright.server") / "data" / "openapi" / name
    return gzip.decompress(found.read_bytes()) if found.is_file() else None


class OpenApi:
    """Answers below ``/openapi``."""

    def __init__(self, resources: ServedResources) -> None:
        self._resources = resources

    def answer(self, request: Request, parts: list[str]) -> WholeResponse:
        """Answer a GET.

        Raises:
            StatusError: 404, there is no such document; 501, it is the v2 document in JSON.
        """
        match parts[1:]:
            case ["v2"]:
                if "openapi.spec.v2" in request.headers.get("accept", ""):
                    return WholeResponse(200, {"content-type": _V2_PROTOBUF}, _V2)
                raise status.not_implemented("/openapi/v2 (use /openapi/v3)")
            case ["v3"]:
                return _json({"paths": self._index()})
            case ["v3", "api", version]:
                return self._document("", version)
            case ["v3", "apis", group, version]:
                return self._document(group, version)
        raise status.path_not_found()

    def _index(self) -> JsonObject:
        paths: JsonObject = {}
        for group, versions in sorted(self._resources.groups().items()):
            for version in versions:
                path = f"apis/{group}/{version}" if group else f"api/{version}"
                document = self._bytes(group, version)
                if document is not None:
                    digest = hashlib.sha512(document).hexdigest().upper()
                    paths[path] = {"serverRelativeURL": f"/openapi/v3/{path}?hash={digest}"}
        return paths

    def _document(self, group: str, version: str) -> WholeResponse:
        document = self._bytes(group, version)
        if document is None:
            raise status.path_not_found()
        return WholeResponse(200, {"content-type": media.JSON}, document)

    def _bytes(self, group: str, version: str) -> bytes | None:
        if not self._resources.has_group_version(group, version):
            return None
        definitions = self._resources.version(group, version)
        if any(definition.custom for definition in definitions):
            from kubewright.server.crd.openapi import document

            return media.encode(document(group, version, definitions))
        return recorded(group, version)


def _json(obj: JsonObject) -> WholeResponse:
    return WholeResponse(200, {"content-type": media.JSON}, media.encode(obj))
