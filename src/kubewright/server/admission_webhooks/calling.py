"""Calling a webhook over the network."""

from __future__ import annotations

import base64
from urllib.parse import quote as percent_encode
from urllib.parse import urlsplit

from kubewright import clock
from kubewright.errors import CertificateError, ConnectionFailed, RequestTimeout, TransportError
from kubewright.http import NetworkTransport, TlsConfig
from kubewright.objects import JsonObject
from kubewright.server.admission_webhooks.hooks import Hook
from kubewright.server.admission_webhooks.matching import Invocation
from kubewright.server.admission_webhooks.review import GROUP, KNOWN_VERSIONS, Answer, CallFailed, read_answer
from kubewright.server.context import Lookups
from kubewright.server.gotext import quote
from kubewright.server.media import encode
from kubewright.wire import Request

_JSON = {"content-type": "application/json", "accept": "application/json", "user-agent": "kube-apiserver-admission"}

_REFUSALS = {
    400: "the server rejected our request for an unknown reason",
    401: "the server has asked for the client to provide credentials",
    404: "the server could not find the requested resource",
    405: "the server does not allow this method on the requested resource",
    409: "the server reported a conflict",
    422: "the server rejected our request due to an error in our request",
    429: "the server has received too many requests and has asked us to try again later",
    503: "the server is currently unable to handle the request",
    504: "the server was unable to return a response in the time allotted, but may still be processing the request",
}
"""What Go's client says of answers that are no Status, by code."""


async def call(invocation: Invocation, lookups: Lookups, *, mutating: bool) -> Answer:
    """Ask a webhook.

    Raises:
        CallFailed: it could not be asked, or its answer makes no sense.
    """
    hook = invocation.hook
    version = next((one for one in hook.spec["admissionReviewVersions"] if one in KNOWN_VERSIONS), "v1")
    uid = clock.uuid4()
    review = {
        "kind": "AdmissionReview",
        "apiVersion": f"{GROUP}/{version}",
        "request": {**invocation.request, "uid": uid},
    }
    body = await _post(hook, encode(review), lookups)
    return read_answer(body, version, uid, mutating=mutating)


async def _post(hook: Hook, review: bytes, lookups: Lookups) -> bytes:
    config, seconds = hook.spec["clientConfig"], hook.spec["timeoutSeconds"]
    url = config.get("url") or _unreachable_service(config["service"], seconds, lookups)
    parts = urlsplit(url)
    query = (("timeout", f"{seconds}s"),)
    shown = f"{parts.scheme}://{parts.netloc}{parts.path}?timeout={seconds}s"
    # Made for this call alone: webhooks of a test come and go, and nothing is left open behind them.
    transport = NetworkTransport(
        f"{parts.scheme}://{parts.netloc}",
        tls=TlsConfig(ca_pem=base64.b64decode(config.get("caBundle") or "")),
        proxy="",
        timeout=float(seconds),
    )
    try:
        response = await transport.send(Request("POST", parts.path or "/", query, _JSON, review))
        body = await response.read()
    except TransportError as error:
        host = parts.netloc if parts.port else f"{parts.netloc}:443"
        raise CallFailed(f'failed to call webhook: Post "{shown}": {_told(error, host)}') from None
    finally:
        await transport.close()
    if response.status >= 400:
        raise CallFailed(f"failed to call webhook: {_refusal(response.status, body)}")
    return body


def _unreachable_service(service: JsonObject, seconds: int, lookups: Lookups) -> str:
    """Nothing listens behind the Services of an embedded cluster: its Pods are simulated."""
    name, namespace = service["name"], service["namespace"]
    path = percent_encode(service.get("path") or "")
    shown = f"https://{name}.{namespace}.svc:{service.get('port', 443)}{path}?timeout={seconds}s"
    there = lookups.get("", "services", namespace, name) is not None
    why = f"no endpoints available for service {quote(name)}" if there else f"service {quote(name)} not found"
    raise CallFailed(f'failed to call webhook: Post "{shown}": {why}')


def _told(error: TransportError, host: str) -> str:
    if isinstance(error, RequestTimeout):
        return "context deadline exceeded"
    if isinstance(error, CertificateError):
        return "tls: failed to verify certificate: x509: certificate signed by unknown authority"
    if isinstance(error, ConnectionFailed) and "refused" in str(error):
        return f"dial tcp {host}: connect: connection refused"
    return str(error)


def _refusal(code: int, body: bytes) -> str:
    if code in _REFUSALS:
        return _REFUSALS[code]
    text = body.decode(errors="replace").strip() or "unknown"
    if code in (403, 406, 415):
        return text
    return f"an error on the server ({quote(text)}) has prevented the request from succeeding"
