from __future__ import annotations

import pytest

from kubewright.errors import UsageError
from kubewright.image import Reference

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("nginx", "docker.io/library/nginx:latest"),
        ("team/app:1.0", "docker.io/team/app:1.0"),
        ("index.docker.io/team/app", "docker.io/team/app:latest"),
        ("localhost/app", "localhost/app:latest"),
        ("127.0.0.1:5000/app", "127.0.0.1:5000/app:latest"),
        ("[::1]:5000/a/b__c:x", "[::1]:5000/a/b__c:x"),
        ("ghcr.example.com/a-b/c.d:v1_2", "ghcr.example.com/a-b/c.d:v1_2"),
    ],
)
def test_names_are_read_as_docker_reads_them(text: str, name: str) -> None:
    assert Reference.parse(text).name == name


def test_a_digest_needs_no_tag() -> None:
    reference = Reference.parse(f"python@{DIGEST}")
    assert (reference.tag, reference.digest) == ("", DIGEST)
    assert str(reference) == f"docker.io/library/python@{DIGEST}"
    assert Reference.parse("python:3.12-slim").familiar == "python:3.12-slim"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is not a repository"),
        ("registry.example.com/Team/app", "'Team/app' is not a repository"),
        ("app:", "'' is not a tag"),
        ("app:-1", "'-1' is not a tag"),
        ("app@sha256:12", "'sha256:12' is not a digest"),
        ("a_b.c:80x/app", "is not a registry's host"),
        ("x.io/" + "a" * 300, "is too long"),
    ],
)
def test_what_is_wrong_with_a_name_is_told(text: str, why: str) -> None:
    with pytest.raises(UsageError, match="is not the name of an image") as raised:
        Reference.parse(text)
    assert why in str(raised.value)
    assert raised.value.hint
