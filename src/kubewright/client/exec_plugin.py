"""Credentials from a program: ``client.authentication.k8s.io``, v1 and v1beta1."""

from __future__ import annotations

import asyncio
import base64
import os
import sys
from datetime import datetime
from pathlib import Path

import msgspec

from kubewright import clock
from kubewright.client.credentials import Credentials, Identity
from kubewright.client.kubeconfig_file import Cluster, Exec
from kubewright.errors import KubeconfigError
from kubewright.http import TlsConfig

_GROUP = "client.authentication.k8s.io"
_VERSIONS = (f"{_GROUP}/v1", f"{_GROUP}/v1beta1")
_PATIENCE = 120.0
"""Seconds a program may take that asks nobody anything."""


class _Status(msgspec.Struct, rename="camel"):
    expiration_timestamp: datetime | None = None
    token: str | None = None
    client_certificate_data: str | None = None
    client_key_data: str | None = None


class _Credential(msgspec.Struct, rename="camel"):
    api_version: str = ""
    kind: str = ""
    status: _Status | None = None


class ExecPlugin(Credentials):
    """Runs the program when an identity is first needed, when it has expired, and when it was refused."""

    def __init__(self, name: str, path: Path, config: Exec, cluster: Cluster, server: str, tls: TlsConfig) -> None:
        """Check what can be checked without running it.

        Args:
            name: the kubeconfig's entry, for messages.
            path: the kubeconfig, which a relative command is relative to.
            config: the program.
            cluster: told to the program if it wants to know.
            server: likewise.
            tls: likewise.

        Raises:
            KubeconfigError: the entry is not complete, or of a version that is no longer used.
        """
        self._name = f"{name} of {path}"
        if config.api_version not in _VERSIONS:
            raise self._wrong(
                f"its exec has the apiVersion {config.api_version or '(none)'}",
                f"use {_VERSIONS[0]}, or update the tool",
            )
        if not config.command:
            raise self._wrong("its exec has no command", "the program that gives the credentials goes there")
        mode = config.interactive_mode or ("" if config.api_version == _VERSIONS[0] else "IfAvailable")
        if mode not in {"Never", "IfAvailable", "Always"}:
            raise self._wrong(
                f"its exec has the interactiveMode {mode or '(none)'}", "it is Never, IfAvailable or Always"
            )
        self._mode = mode
        self._config = config
        self._cluster = cluster
        self._server = server
        self._tls = tls
        relative = os.sep in config.command or (os.altsep is not None and os.altsep in config.command)
        self._command = str(path.absolute().parent / config.command) if relative else config.command
        self._running = asyncio.Lock()
        self._identity: Identity | None = None
        self._expires: datetime | None = None

    async def identity(self) -> Identity:
        """The identity of the last run, or of a new one.

        Raises:
            KubeconfigError: the program is not there, failed, or gave no credentials.
        """
        async with self._running:
            expired = self._expires is not None and clock.now() >= self._expires
            if self._identity is None or expired:
                self._identity, self._expires = _identity(self, await self._run())
            return self._identity

    def refused(self, identity: Identity) -> bool:
        """Run the program again, unless that has happened meanwhile."""
        if self._identity is identity:
            self._identity = None
        return True

    def wrong_output(self, what: str) -> KubeconfigError:
        """A complaint of what the program wrote."""
        return self._wrong(f"the program {self._config.command} {what}", self._config.install_hint or "")

    async def _run(self) -> bytes:
        interactive = self._interactive()
        try:
            process = await asyncio.create_subprocess_exec(
                self._command,
                *(self._config.args or ()),
                env={**os.environ, **self._environment(interactive=interactive)},
                stdin=None if interactive else asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=None if interactive else asyncio.subprocess.PIPE,
            )
        except OSError as error:
            raise self._wrong(
                f"the program {self._command} cannot be run: {error.strerror}",
                self._config.install_hint or "install it, or put it on the PATH",
            ) from error
        try:
            async with asyncio.timeout(None if interactive else _PATIENCE):
                output, complaint = await process.communicate()
        except TimeoutError as error:
            raise self.wrong_output(f"did not finish in {_PATIENCE:.0f} s") from error
        finally:
            if process.returncode is None:
                process.kill()
                await process.communicate()
        if process.returncode:
            said = " ".join((complaint or b"").decode(errors="replace").split())[-500:]
            raise self.wrong_output(f"failed with exit code {process.returncode}" + (f": {said}" if said else ""))
        return output

    def _interactive(self) -> bool:
        terminal = sys.stdin is not None and sys.stdin.isatty()
        if self._mode == "Always" and not terminal:
            raise self._wrong(
                f"the program {self._config.command} needs a terminal, and there is none",
                "log in from a terminal first, or use credentials that ask nobody",
            )
        return terminal and self._mode != "Never"

    def _environment(self, *, interactive: bool) -> dict[str, str]:
        spec: dict[str, object] = {"interactive": interactive}
        if self._config.provide_cluster_info:
            about: dict[str, object] = {"server": self._server}
            if self._tls.server_name:
                about["tls-server-name"] = self._tls.server_name
            if not self._tls.verify:
                about["insecure-skip-tls-verify"] = True
            if self._tls.ca_pem:
                about["certificate-authority-data"] = base64.b64encode(self._tls.ca_pem).decode()
            if self._cluster.proxy_url:
                about["proxy-url"] = self._cluster.proxy_url
            spec["cluster"] = about
        info = {"apiVersion": self._config.api_version, "kind": "ExecCredential", "spec": spec}
        variables = {variable.name: variable.value for variable in self._config.env or ()}
        return {**variables, "KUBERNETES_EXEC_INFO": msgspec.json.encode(info).decode()}

    def _wrong(self, what: str, hint: str) -> KubeconfigError:
        return KubeconfigError(f"{self._name}: {what}", hint=hint)

    @property
    def api_version(self) -> str:
        """The version the program is to speak."""
        return self._config.api_version


def _identity(plugin: ExecPlugin, output: bytes) -> tuple[Identity, datetime | None]:
    try:
        credential = msgspec.json.decode(output, type=_Credential)
    except msgspec.DecodeError as error:
        raise plugin.wrong_output(f"wrote no ExecCredential: {error}") from error
    if (credential.api_version, credential.kind) != (plugin.api_version, "ExecCredential"):
        raise plugin.wrong_output(
            f"wrote a {credential.kind or '(no kind)'} of {credential.api_version or '(no apiVersion)'}, "
            f"not an ExecCredential of {plugin.api_version}"
        )
    status = credential.status
    if status is None or not (status.token or status.client_certificate_data):
        raise plugin.wrong_output("gave neither a token nor a client certificate")
    if bool(status.client_certificate_data) != bool(status.client_key_data):
        raise plugin.wrong_output("gave a client certificate without its key, or a key without its certificate")
    identity = Identity(
        f"Bearer {status.token}" if status.token else "",
        (status.client_certificate_data or "").encode(),
        (status.client_key_data or "").encode(),
    )
    return identity, status.expiration_timestamp
