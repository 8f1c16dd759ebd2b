"""Users by their client certificates, which TLS has already verified."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from kubewright.server.authentication.users import authenticated
from kubewright.server.context import UserInfo


def user_of_certificate(certificate: Mapping[str, object], der: bytes) -> UserInfo | None:
    """The user: the common name, with the organisations as groups; None for a certificate without a common name.

    Args:
        certificate: as ``ssl`` gives a verified peer's.
        der: the same, whole.
    """
    names: dict[str, list[str]] = {}
    subject = certificate.get("subject")
    for part in subject if isinstance(subject, tuple) else ():
        for key, value in part:
            names.setdefault(key, []).append(value)
    if not names.get("commonName"):
        return None
    credential = f"X509SHA256={hashlib.sha256(der).hexdigest()}"
    return authenticated(
        UserInfo(
            names["commonName"][0],
            groups=tuple(names.get("organizationName", ())),
            extra={"authentication.kubernetes.io/credential-id": (credential,)},
        )
    )
