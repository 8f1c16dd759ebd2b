"""What a request's path names."""

from __future__ import annotations

import pytest

from kubewright.objects import ObjectKey
from kubewright.runtime.writes import Target, parse_path


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/api/v1/namespaces/d/pods/p", Target("", "v1", "pods", ObjectKey("d", "p"), "")),
        ("/api/v1/namespaces/d/pods", Target("", "v1", "pods", ObjectKey("d", ""), "")),
        ("/api/v1/namespaces/d/pods/p/status", Target("", "v1", "pods", ObjectKey("d", "p"), "status")),
        ("/api/v1/namespaces/d", Target("", "v1", "namespaces", ObjectKey("", "d"), "")),
        ("/api/v1/namespaces/d/finalize", Target("", "v1", "namespaces", ObjectKey("", "d"), "finalize")),
        ("/apis/apps/v1/namespaces/d/deployments/x", Target("apps", "v1", "deployments", ObjectKey("d", "x"), "")),
        ("/apis/a.b/v1/clusters/system%3Ax", Target("a.b", "v1", "clusters", ObjectKey("", "system:x"), "")),
        ("/version", None),
        ("/apis/apps/v1", None),
    ],
)
def test_parse_path(path: str, target: Target | None) -> None:
    assert parse_path(path) == target
