"""The names of images: ``registry/repository:tag@digest``, read as Docker reads them."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from kubewright.errors import UsageError

DOCKER_HUB = "docker.io"

_PATH = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*")
_HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::\d+)?")
_TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Reference:
    """The name of an image.

    Attributes:
        registry: host and port, ``docker.io`` where none is given.
        repository: the path in the registry.
        tag: empty where only a digest is given.
        digest: ``sha256:…``, or empty.
    """

    registry: str
    repository: str
    tag: str = ""
    digest: str = ""

    @classmethod
    def parse(cls, text: str) -> Reference:
        """Read ``text``; the tag is ``latest`` where neither tag nor digest is given.

        Raises:
            UsageError: no image can have this name; the message says which part is wrong.
        """
        rest, at, digest = text.partition("@")
        if at and not _DIGEST.fullmatch(digest):
            raise _wrong(text, f"{digest!r} is not a digest", "a digest is sha256: and 64 hexadecimal digits")
        head, slash, tail = rest.partition("/")
        if slash and ("." in head or ":" in head or head == "localhost" or head != head.lower()):
            registry, rest = head, tail
        else:
            registry = DOCKER_HUB
        if not _HOST.fullmatch(registry):
            raise _wrong(text, f"{registry!r} is not a registry's host", "for instance: registry.example.com:5000")
        repository, colon, tag = rest.partition(":")
        if colon and not _TAG.fullmatch(tag):
            raise _wrong(text, f"{tag!r} is not a tag", "a tag has up to 128 letters, digits, '_', '.' and '-'")
        if not _PATH.fullmatch(repository):
            hint = "a repository has lower-case letters and digits, with '.', '_', '-' and '/' between them"
            raise _wrong(text, f"{repository!r} is not a repository", hint)
        if len(repository) > 255:
            raise _wrong(text[:40] + "…", "the repository is too long", "255 characters at most")
        if registry in ("index.docker.io", "registry-1.docker.io"):
            registry = DOCKER_HUB
        if registry == DOCKER_HUB and "/" not in repository:
            repository = f"library/{repository}"
        return cls(registry, repository, tag if tag or digest else "latest", digest)

    def pinned(self, digest: str) -> Reference:
        """The same, with the digest it stands for now."""
        return replace(self, digest=digest)

    @property
    def name(self) -> str:
        """Without the digest."""
        return f"{self.registry}/{self.repository}" + (f":{self.tag}" if self.tag else "")

    @property
    def familiar(self) -> str:
        """As ``docker images`` shows it, without the digest."""
        return self.name.removeprefix(f"{DOCKER_HUB}/library/").removeprefix(f"{DOCKER_HUB}/")

    def __str__(self) -> str:
        return self.name + (f"@{self.digest}" if self.digest else "")


def _wrong(text: str, why: str, hint: str) -> UsageError:
    return UsageError(f"{text!r} is not the name of an image: {why}", hint=hint)
