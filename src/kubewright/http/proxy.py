"""Which proxy, if any, a host is reached by: ``HTTPS_PROXY``, ``HTTP_PROXY`` and ``NO_PROXY`` as Go reads them."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class ProxyFromEnvironment:
    """The proxy settings of the environment. Lower-case names win, as curl and Go have it."""

    https: str = ""
    http: str = ""
    exceptions: tuple[str, ...] = ()

    @classmethod
    def read(cls, environment: Mapping[str, str] | None = None) -> ProxyFromEnvironment:
        """Read ``environment``, by default the process's."""
        env = os.environ if environment is None else environment

        def value(name: str) -> str:
            return env.get(name.lower()) or env.get(name) or ""

        words = (word.strip().lower() for word in value("NO_PROXY").split(","))
        return cls(value("HTTPS_PROXY"), value("HTTP_PROXY"), tuple(word for word in words if word))

    def for_url(self, url: str) -> str:
        """The proxy's URL, or the empty string for none. This machine itself is never reached by a proxy."""
        parts = urlsplit(url)
        proxy = self.https if parts.scheme == "https" else self.http
        host = (parts.hostname or "").rstrip(".")
        if not proxy or self._excepted(host, parts.port or (443 if parts.scheme == "https" else 80)):
            return ""
        return proxy if "://" in proxy else f"http://{proxy}"

    def _excepted(self, host: str, port: int) -> bool:
        address = _address(host)
        if host == "localhost" or (address is not None and address.is_loopback):
            return True
        return any(_matches(word, host, address, port) for word in self.exceptions)


_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def _address(host: str) -> _Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _matches(word: str, host: str, address: _Address | None, port: int) -> bool:
    if word == "*":
        return True
    if "/" in word:
        try:
            return address is not None and address in ipaddress.ip_network(word, strict=False)
        except ValueError:
            return False
    name, colon, wanted_port = word.rpartition(":")
    if colon and wanted_port.isdecimal() and (":" not in name or name.endswith("]")):
        if int(wanted_port) != port:
            return False
        word = name
    word = word.strip("[]")
    if address is not None:
        return _address(word) == address
    if word.startswith("*."):
        word = word[1:]
    if word.startswith("."):
        return host.endswith(word)
    return host == word or host.endswith(f".{word}")
