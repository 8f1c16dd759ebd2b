"""Tokens of service accounts: signed here, bound to objects, and good for as long as these are there."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from msgspec import DecodeError

from kubewright import clock
from kubewright.objects import JsonObject
from kubewright.server.authentication.authenticator import API_AUDIENCES, Authenticated, TokenRefused
from kubewright.server.authentication.users import authenticated, service_account_groups, service_account_name
from kubewright.server.context import Lookups, UserInfo
from kubewright.server.gotext import quote
from kubewright.server.media import decode, encode

ISSUER = "https://kubernetes.default.svc"
WARN_ONLY_SECONDS = 3607
"""What kubelets ask for: such a token of a Pod lasts longer than it says, and is only warned of."""

_EXTENDED_SECONDS = 365 * 24 * 3600
_LEEWAY = 60.0
_COORDINATE = 32
_PREFIX = "authentication.kubernetes.io/"
_BOUND = {"pod": "pods", "secret": "secrets", "node": "nodes"}
_BAD_SIGNATURE = "go-jose/go-jose: error in cryptographic primitive"
_GONE = "service account token has been invalidated"


def new_signing_key() -> bytes:
    """A key to sign tokens with, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


class ServiceAccountTokens:
    """Signs tokens with a key of its own and knows them again."""

    def __init__(self, lookups: Lookups, key: bytes | None = None) -> None:
        self._lookups = lookups
        loaded = serialization.load_pem_private_key(key or new_signing_key(), None)
        assert isinstance(loaded, ec.EllipticCurvePrivateKey)  # noqa: S101 - made below
        self._key = loaded
        numbers = self._key.public_key().public_numbers()
        self._key_id = _encode(numbers.x.to_bytes(_COORDINATE, "big"))

    def issue(
        self, account: JsonObject, audiences: Sequence[str], seconds: int, bound: Mapping[str, JsonObject | None]
    ) -> str:
        """A token of ``account``.

        Args:
            account: the ServiceAccount.
            audiences: whom it is meant for.
            seconds: until it expires.
            bound: the objects that it lives as long as, by ``pod``, ``secret`` and ``node``.
        """
        meta = account["metadata"]
        now = int(clock.now().timestamp())
        claims: JsonObject = {
            "namespace": meta["namespace"],
            "serviceaccount": {"name": meta["name"], "uid": meta["uid"]},
        }
        for name, obj in bound.items():
            if obj is not None:
                about = {"name": obj["metadata"]["name"], "uid": obj["metadata"].get("uid", "")}
                claims[name] = {key: value for key, value in about.items() if value}
        for_us = all(audience in API_AUDIENCES for audience in audiences)
        if bound.get("pod") is not None and seconds == WARN_ONLY_SECONDS and for_us:
            claims["warnafter"] = now + seconds
            seconds = _EXTENDED_SECONDS
        payload = {
            "aud": list(audiences),
            "exp": now + seconds,
            "iat": now,
            "iss": ISSUER,
            "jti": clock.uuid4(),
            "kubernetes.io": claims,
            "nbf": now,
            "sub": service_account_name(meta["namespace"], meta["name"]),
        }
        signed = f"{_encode(encode({'alg': 'ES256', 'kid': self._key_id}))}.{_encode(encode(payload))}"
        r, s = decode_dss_signature(self._key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{signed}.{_encode(r.to_bytes(_COORDINATE, 'big') + s.to_bytes(_COORDINATE, 'big'))}"

    def verify(self, token: str, audiences: Sequence[str]) -> Authenticated | None:
        """Whom ``token`` stands for before one of ``audiences``; None: it is no token of a service account.

        Raises:
            TokenRefused: it is one, but is not good, or no longer.
        """
        signed, _, signature = token.rpartition(".")
        try:
            header, payload = (decode(_decode(part)) for part in signed.split("."))
            raw = _decode(signature)
        except (ValueError, DecodeError):
            return None
        if not isinstance(header, dict) or not isinstance(payload, dict) or payload.get("iss") != ISSUER:
            return None
        if header.get("kid", self._key_id) != self._key_id:
            raise TokenRefused("invalid signature, no keys found")
        if header.get("alg") != "ES256":
            raise TokenRefused(_BAD_SIGNATURE)
        self._check_signature(signed, raw)
        meant = [name for name in payload["aud"] if name in audiences]
        if not meant:
            shown = (_quoted(payload["aud"]), _quoted(audiences))
            raise TokenRefused(f"token audiences {shown[0]} is invalid for the target audiences {shown[1]}")
        return Authenticated(self._user(payload), tuple(meant))

    def _check_signature(self, signed: str, raw: bytes) -> None:
        r, s = (int.from_bytes(raw[at : at + _COORDINATE], "big") for at in (0, _COORDINATE))
        try:
            if len(raw) != 2 * _COORDINATE:
                raise InvalidSignature
            self._key.public_key().verify(encode_dss_signature(r, s), signed.encode(), ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            raise TokenRefused(_BAD_SIGNATURE) from None

    def _user(self, payload: JsonObject) -> UserInfo:
        now = clock.now()
        if now.timestamp() > payload["exp"] + _LEEWAY:
            raise TokenRefused("service account token has expired")
        if now.timestamp() < payload["nbf"] - _LEEWAY:
            raise TokenRefused("service account token is not valid yet")
        claims = payload["kubernetes.io"]
        namespace, reference = claims["namespace"], claims["serviceaccount"]
        account = self._lookups.get("", "serviceaccounts", namespace, reference["name"])
        if account is None:
            raise TokenRefused(f"serviceaccounts {quote(reference['name'])} not found")
        uid = account["metadata"]["uid"]
        if uid != reference["uid"]:
            raise TokenRefused(f"service account UID ({uid}) does not match claim ({reference['uid']})")
        if _is_over(account, now):
            raise TokenRefused(f"service account {namespace}/{reference['name']} has been deleted")
        for kind, plural in _BOUND.items():
            if kind in claims and not (kind == "node" and "pod" in claims):
                self._check_bound(kind, plural, "" if kind == "node" else namespace, claims[kind], now)
        return authenticated(
            UserInfo(
                payload["sub"],
                uid=uid,
                groups=service_account_groups(namespace),
                extra=_extra(payload["jti"], claims),
            )
        )

    def _check_bound(
        self, kind: str, plural: str, namespace: str, reference: Mapping[str, str], now: datetime
    ) -> None:
        found = self._lookups.get("", plural, namespace, reference["name"])
        if found is None:
            raise TokenRefused(_GONE)
        uid = found["metadata"]["uid"]
        if uid != reference.get("uid"):
            claimed = reference.get("uid", "")
            raise TokenRefused(f"{kind} UID ({uid}) does not match service account {kind} ref claim ({claimed})")
        if _is_over(found, now):
            raise TokenRefused(_GONE)


def _extra(jti: str, claims: JsonObject) -> dict[str, tuple[str, ...]]:
    extra: dict[str, tuple[str, ...]] = {f"{_PREFIX}credential-id": (f"JTI={jti}",)}
    for kind in ("pod", "node"):
        reference = claims.get(kind)
        if reference is not None:
            extra[f"{_PREFIX}{kind}-name"] = (reference["name"],)
            if reference.get("uid"):
                extra[f"{_PREFIX}{kind}-uid"] = (reference["uid"],)
    return dict(sorted(extra.items()))


def _is_over(obj: JsonObject, now: datetime) -> bool:
    deleted = obj["metadata"].get("deletionTimestamp")
    return deleted is not None and datetime.fromisoformat(deleted) < now - timedelta(seconds=_LEEWAY)


def _quoted(names: Sequence[str]) -> str:
    return f"[{' '.join(map(quote, names))}]"


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
