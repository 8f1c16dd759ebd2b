"""A plain connection to the real API server, for cases that ask it and us the same."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
import yaml


class RealApi:
    """One HTTP request after the other."""

    def __init__(self, kubeconfig: Path) -> None:
        config = yaml.safe_load(kubeconfig.read_text())
        self._address = urlsplit(config["clusters"][0]["cluster"]["server"])
        self._token = config["users"][0]["user"]["token"]
        self._connection: http.client.HTTPSConnection | None = None

    def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content_type: str = "application/json",
        **query: str,
    ) -> tuple[int, Any]:
        if self._connection is None:
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            self._connection = http.client.HTTPSConnection(
                self._address.hostname or "", self._address.port, context=context, timeout=30
            )
        text = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": content_type}
        self._connection.request(method, f"{path}?{urlencode(query)}" if query else path, text, headers)
        response = self._connection.getresponse()
        data = response.read()
        self.warnings = response.headers.get_all("Warning") or []
        try:
            return response.status, json.loads(data)
        except ValueError:
            return response.status, data.decode()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()


@pytest.fixture
def real_api(real_kubeconfig: Path) -> Iterator[RealApi]:
    api = RealApi(real_kubeconfig)
    yield api
    api.close()
