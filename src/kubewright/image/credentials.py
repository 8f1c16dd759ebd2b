"""Who one is at a registry: Docker's config.json and the credential helpers that it names."""

from __future__ import annotations

import base64
import binascii
import json
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from kubewright.errors import ImageError, UsageError
from kubewright.image.oci import JsonObject
from kubewright.image.reference import DOCKER_HUB

_HUB_KEY = "https://index.docker.io/v1/"
_TOKEN_USER = "<token>"  # noqa: S105 - what helpers call a user that is none
_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a registry, or the token service it sends us to, is shown.

    Attributes:
        source: where they are from, for errors.
        identity_token: an OAuth2 refresh token, in place of user and password.
    """

    source: str = ""
    user: str = ""
    password: str = field(default="", repr=False)
    identity_token: str = field(default="", repr=False)

    @property
    def basic(self) -> str:
        """The value of an Authorization header, or empty where there is no user."""
        if not self.user:
            return ""
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()


class DockerConfig:
    """``config.json`` in ``DOCKER_CONFIG``, or in ``~/.docker``."""

    def __init__(self, path: Path, document: JsonObject) -> None:
        self.path = path
        self._document = document

    @classmethod
    def read(cls) -> DockerConfig:
        """Read it; one that is not there says nothing.

        Raises:
            UsageError: it is not JSON.
        """
        folder = os.environ.get("DOCKER_CONFIG")
        path = (Path(folder) if folder else Path.home() / ".docker") / "config.json"
        try:
            document = json.loads(path.read_bytes())
        except FileNotFoundError:
            return cls(path, {})
        except (OSError, ValueError) as error:
            raise UsageError(
                f"{path} cannot be read: {error}", hint="correct it, or move it away and log in again"
            ) from error
        if not isinstance(document, dict):
            raise UsageError(f"{path} is not a JSON object", hint="correct it, or move it away and log in again")
        return cls(path, document)

    def credentials(self, registry: str) -> Credentials:
        """Those for ``registry``, by a helper or in the file itself; empty where there are none.

        Raises:
            ImageError: the helper that is named for it failed, or is not there.
        """
        helper = self._table("credHelpers").get(registry) or self._document.get("credsStore")
        if helper:
            for key in _keys(registry):
                found = self._ask(str(helper), key)
                if found is not None:
                    return found
        entries = self._table("auths")
        for key in _keys(registry):
            entry = entries.get(key)
            if isinstance(entry, dict) and (read := self._entry(key, entry)):
                return read
        return Credentials()

    def _table(self, name: str) -> JsonObject:
        table = self._document.get(name)
        return table if isinstance(table, dict) else {}

    def _entry(self, key: str, entry: JsonObject) -> Credentials | None:
        user, password = str(entry.get("username") or ""), str(entry.get("password") or "")
        if entry.get("auth"):
            try:
                text = base64.b64decode(str(entry["auth"]), validate=True).decode()
            except (binascii.Error, UnicodeDecodeError) as error:
                raise UsageError(
                    f"auth of {key} in {self.path} is not base64 of user:password", hint=f"run: docker login {key}"
                ) from error
            user, _, password = text.partition(":")
        identity_token = str(entry.get("identitytoken") or "")
        if not user and not identity_token:
            return None
        return Credentials(str(self.path), user, password.rstrip("\0"), identity_token)

    def _ask(self, helper: str, key: str) -> Credentials | None:
        program = f"docker-credential-{helper}"
        try:
            done = subprocess.run(  # noqa: S603 - the program that the user's own configuration names
                [program, "get"], input=key, capture_output=True, text=True, check=False, timeout=_SECONDS
            )
        except FileNotFoundError as error:
            raise ImageError(
                f"{self.path} names the credential helper {program}, which is not on the PATH",
                hint=f"install it, or take {helper!r} out of credsStore and credHelpers in that file",
            ) from error
        except subprocess.TimeoutExpired as error:
            raise ImageError(
                f"the credential helper {program} did not answer in {_SECONDS} s", hint=f"try: {program} get"
            ) from error
        if done.returncode:
            said = (done.stdout or done.stderr).strip()
            if "credentials not found" in said:
                return None
            raise ImageError(
                f"the credential helper {program} failed for {key}: {said or done.returncode}",
                hint=f"see for yourself with: echo {key} | {program} get",
            )
        try:
            answer = json.loads(done.stdout)
            user, secret = str(answer["Username"]), str(answer["Secret"])
        except (ValueError, KeyError, TypeError) as error:
            raise ImageError(
                f"the credential helper {program} answered something that is no credentials"
            ) from error
        if user == _TOKEN_USER:
            return Credentials(program, identity_token=secret)
        return Credentials(program, user, secret)


def _keys(registry: str) -> list[str]:
    """Under which names a registry may stand in the file."""
    if registry == DOCKER_HUB:
        return [_HUB_KEY, "docker.io", "https://index.docker.io/v1", "index.docker.io", "registry-1.docker.io"]
    return [
        registry,
        f"https://{registry}",
        f"https://{registry}/v1/",
        f"https://{registry}/v2/",
        f"http://{registry}",
    ]
