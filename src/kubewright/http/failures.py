"""aiohttp's exceptions, told as ours: what happened, to which server, and what to do next."""

from __future__ import annotations

import errno
import ssl

import aiohttp

from kubewright.errors import (
    CertificateError,
    ConnectionBroken,
    ConnectionFailed,
    RequestTimeout,
    TransportError,
)

_EXPIRED, _NOT_YET_VALID, _WRONG_HOST, _WRONG_ADDRESS = 10, 9, 62, 64

_OTHER_CAUSES = {
    errno.EHOSTUNREACH: "no route to the host",
    errno.ENETUNREACH: "the network cannot be reached",
    errno.ETIMEDOUT: "the host did not answer",
    errno.ECONNRESET: "the connection was reset while it was being made",
    errno.EACCES: "this machine does not allow the connection",
    errno.EPERM: "this machine does not allow the connection",
}


def told(error: BaseException, server: str, doing: str) -> TransportError:
    """``error`` as one of ours; ``server`` is the server's URL, ``doing`` what was asked of it."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return _certificate(error.certificate_error, server)
    if isinstance(error, aiohttp.ClientProxyConnectionError):
        return ConnectionFailed(
            f"cannot reach the proxy {error.host}:{error.port} on the way to {server}: {error.os_error}",
            hint="check proxy-url in the kubeconfig, or HTTPS_PROXY and NO_PROXY in the environment",
        )
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return ConnectionFailed(
            f"the proxy refused to connect to {server}: {error.status} {error.message}",
            hint="check the proxy's credentials in proxy-url or HTTPS_PROXY, and that it allows this host",
        )
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return ConnectionFailed(
            f"cannot find the host {error.host} of {server}: {_os_reason(error.os_error)}",
            hint="check the server's name in the kubeconfig, and that this machine's DNS knows it (VPN?)",
        )
    if isinstance(error, aiohttp.ClientConnectorSSLError):
        return _handshake(error.os_error, server)
    if isinstance(error, aiohttp.ClientConnectorError):
        return _unconnected(error.os_error, server)
    if isinstance(error, TimeoutError):
        return RequestTimeout(
            f"{server} did not answer in time: {doing}",
            hint="check that the server is up and reachable, or allow more time",
        )
    if isinstance(error, ssl.SSLError) or isinstance(error.__cause__, ssl.SSLError):
        cause = error if isinstance(error, ssl.SSLError) else error.__cause__
        return _handshake(cause, server)
    if isinstance(error, aiohttp.ClientResponseError | aiohttp.http_exceptions.HttpProcessingError):
        return ConnectionFailed(
            f"{server} does not speak HTTP: {' '.join(str(error.message).split())[:200]}",
            hint="check scheme and port of the server in the kubeconfig: this may be a TLS port, or no web server",
        )
    return ConnectionBroken(
        f"the connection to {server} broke off: {doing} ({str(error) or type(error).__name__})",
        hint="whether it was carried out is not known; read the object before trying again",
    )


def _certificate(error: Exception, server: str) -> CertificateError:
    code = getattr(error, "verify_code", 0)
    reason = getattr(error, "verify_message", "") or str(error)
    if code == _EXPIRED:
        return CertificateError(
            f"the certificate of {server} has expired",
            hint="renew the server's certificate (or check this machine's clock)",
        )
    if code == _NOT_YET_VALID:
        return CertificateError(f"the certificate of {server} is not valid yet", hint="check this machine's clock")
    if code in {_WRONG_HOST, _WRONG_ADDRESS}:
        return CertificateError(
            f"the certificate of {server} is for another name: {reason}",
            hint="use a name that is in the certificate, or set tls-server-name in the kubeconfig to one that is",
        )
    return CertificateError(
        f"the certificate of {server} is not trusted: {reason}",
        hint="the certificate-authority of the cluster in the kubeconfig must be the one that signed it",
    )


def _handshake(error: BaseException | None, server: str) -> TransportError:
    reason = str(getattr(error, "reason", "") or "").upper()
    if reason in {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG"}:
        return ConnectionFailed(
            f"{server} does not speak TLS",
            hint="the port may serve plain HTTP: check scheme and port of the server in the kubeconfig",
        )
    if "CERTIFICATE_REQUIRED" in reason or "BAD_CERTIFICATE" in reason or "UNKNOWN_CA" in reason:
        return CertificateError(
            f"{server} does not accept our client certificate ({reason.replace('_', ' ').lower()})",
            hint="check client-certificate and client-key of the user in the kubeconfig",
        )
    words = reason.replace("_", " ").lower() or str(error)
    return ConnectionFailed(
        f"no TLS connection to {server}: {words}", hint="check the server's TLS versions and port"
    )


def _unconnected(error: OSError, server: str) -> ConnectionFailed:
    if error.errno == errno.ECONNREFUSED or isinstance(error, ConnectionRefusedError):
        return ConnectionFailed(
            f"{server} refused the connection: nothing listens there",
            hint="check that the cluster is running, and the server's address and port in the kubeconfig",
        )
    return ConnectionFailed(
        f"cannot connect to {server}: {_os_reason(error)}",
        hint="check the server's address in the kubeconfig, and this machine's network (VPN, firewall)",
    )


def _os_reason(error: OSError) -> str:
    return _OTHER_CAUSES.get(error.errno or 0) or error.strerror or str(error)
