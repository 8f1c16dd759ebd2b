"""What TLS needs to know, and the context made of it."""

from __future__ import annotations

import ssl
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from kubewright.errors import CertificateError


@dataclass(frozen=True, slots=True)
class TlsConfig:
    """How the server is known, and how it knows us.

    Attributes:
        ca_pem: certificates that are trusted, PEM; empty trusts the system's.
        client_cert_pem: our certificate and its chain, PEM; empty for none.
        client_key_pem: the certificate's private key, PEM.
        server_name: the name the certificate must be for, where it is not the host of the URL (also sent as SNI).
        verify: False accepts any certificate.
    """

    ca_pem: bytes = field(default=b"", repr=False)
    client_cert_pem: bytes = field(default=b"", repr=False)
    client_key_pem: bytes = field(default=b"", repr=False)
    server_name: str = ""
    verify: bool = True

    def context(self) -> ssl.SSLContext:
        """A client context for this configuration.

        Raises:
            CertificateError: a certificate or key is not PEM, or the two do not belong together.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        # A certificate given as authority is trusted as it stands, self-signed or not: what Go does, and what
        # clusters with a pinned server certificate rely on.
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        elif self.ca_pem:
            self._trust(context)
        else:
            context.load_default_certs(ssl.Purpose.SERVER_AUTH)
        if self.client_cert_pem:
            self._present(context)
        return context

    def _trust(self, context: ssl.SSLContext) -> None:
        try:
            context.load_verify_locations(cadata=self.ca_pem.decode("ascii"))
        except (ssl.SSLError, UnicodeDecodeError) as error:
            raise CertificateError(
                "the certificate authority is not a PEM certificate",
                hint="check certificate-authority or certificate-authority-data of the cluster in the kubeconfig",
            ) from error

    def _present(self, context: ssl.SSLContext) -> None:
        # OpenSSL loads a chain from files only; these are readable by us alone and gone when it has.
        with tempfile.TemporaryDirectory(prefix="kubewright-") as folder:
            cert, key = Path(folder, "cert.pem"), Path(folder, "key.pem")
            cert.write_bytes(self.client_cert_pem)
            key.touch(mode=0o600)
            key.write_bytes(self.client_key_pem)
            try:
                context.load_cert_chain(cert, key, password=_no_password)
            except (ssl.SSLError, ValueError) as error:
                raise CertificateError(
                    f"the client certificate and its key cannot be used ({_reason(error)})",
                    hint="check that client-certificate and client-key of the user in the kubeconfig are PEM, "
                    "belong together, and that the key has no password",
                ) from error


def _no_password() -> str:
    raise ValueError("the key is protected by a password")


def _reason(error: Exception) -> str:
    reason = getattr(error, "reason", None)
    return str(reason).replace("_", " ").lower() if reason else str(error)
