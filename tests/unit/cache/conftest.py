"""Objects of no particular kind, made by hand."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from kubewright.objects import RawObject

Make = Callable[..., RawObject]


def _make(
    name: str, version: int | str = "1", uid: str = "", namespace: str = "default", **metadata: object
) -> RawObject:
    head = {
        "name": name,
        "namespace": namespace,
        "uid": uid or f"uid-{name}",
        "resourceVersion": str(version),
        **metadata,
    }
    return RawObject(json.dumps({"metadata": head}).encode(), api_version="v1", kind="ConfigMap")


@pytest.fixture
def make() -> Make:
    return _make
