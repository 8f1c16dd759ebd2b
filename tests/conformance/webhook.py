"""A webhook on this machine for cases that need one: it answers as the case says, and keeps what it was sent."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

from aiohttp import web

from kubewright.server.certificates import Authority, server_context


class Webhook:
    """Answers each path as ``hooks`` has it.

    ``allowed``, ``status``, ``warnings``, ``auditAnnotations`` and ``patch`` (sent as a JSON patch) make the
    response; ``code`` and ``raw`` answer something else altogether; ``sleep`` waits first; ``uid``, ``apiVersion``
    and ``patchType`` replace what would be right.
    """

    def __init__(self, hooks: dict[str, Any]) -> None:
        self._hooks = hooks
        self._authority = Authority()
        self._runner = web.ServerRunner(web.Server(self._answer, access_log=None), shutdown_timeout=0.1)
        self.received: list[dict[str, Any]] = []
        self.host = ""

    @property
    def authority(self) -> str:
        """The certificate to trust, as configurations have it."""
        return base64.b64encode(self._authority.pem).decode()

    async def start(self) -> None:
        """Listen on a free port."""
        await self._runner.setup()
        context = server_context(self._authority.serve(["127.0.0.1"]), self._authority.pem)
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=context).start()
        host, port = self._runner.addresses[0][:2]
        self.host = f"{host}:{port}"

    async def close(self) -> None:
        """Stop listening."""
        await self._runner.cleanup()

    async def _answer(self, request: web.BaseRequest) -> web.Response:
        review = json.loads(await request.read())
        self.received.append({"path": request.path_qs, "review": review})
        hook = dict(self._hooks[request.path])
        await asyncio.sleep(hook.pop("sleep", 0))
        if "raw" in hook or "code" in hook:
            return web.Response(status=hook.get("code", 200), text=hook.get("raw", ""))
        version = hook.pop("apiVersion", review["apiVersion"])
        response = {"uid": review["request"]["uid"], **hook}
        if "patch" in hook:
            response["patch"] = base64.b64encode(json.dumps(hook["patch"]).encode()).decode()
            response.setdefault("patchType", "JSONPatch")
        answer = {"apiVersion": version, "kind": "AdmissionReview", "response": response}
        return web.Response(text=json.dumps(answer), content_type="application/json")
