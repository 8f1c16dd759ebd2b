from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from kubewright.errors import UsageError
from kubewright.image import DockerConfig


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    return tmp_path / "config.json"


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_no_file_is_no_credentials(config: Path) -> None:
    assert DockerConfig.read().credentials("registry.example.com").source == ""


def test_entries_are_found_under_the_names_docker_uses(config: Path) -> None:
    auths = {
        "https://index.docker.io/v1/": {"auth": encoded("jane:pass:word")},
        "https://registry.example.com": {"username": "joe", "password": "secret"},
        "tokens.example.com": {"auth": encoded("jane:"), "identitytoken": "refresh"},
        "empty.example.com": {},
    }
    config.write_text(json.dumps({"auths": auths}))
    read = DockerConfig.read()
    hub = read.credentials("docker.io")
    assert (hub.user, hub.password) == ("jane", "pass:word")
    assert read.credentials("registry.example.com").basic == f"Basic {encoded('joe:secret')}"
    assert read.credentials("tokens.example.com").identity_token == "refresh"
    assert read.credentials("empty.example.com").source == ""
    assert "secret" not in repr(read.credentials("registry.example.com"))


def test_what_cannot_be_read_is_told(config: Path) -> None:
    config.write_text("{")
    with pytest.raises(UsageError, match="cannot be read"):
        DockerConfig.read()
    config.write_text(json.dumps({"auths": {"x.example.com": {"auth": "???"}}}))
    with pytest.raises(UsageError, match="is not base64"):
        DockerConfig.read().credentials("x.example.com")
