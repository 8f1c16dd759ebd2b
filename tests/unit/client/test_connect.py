"""Who we are to a real API server: certificates, programs, acting as others, and being nobody."""

from __future__ import annotations

import datetime
import sys
from pathlib import Path

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from kubewright import errors
from kubewright.client import Client, connect, load_config
from kubewright.wire import Request

pytestmark = pytest.mark.real

WHO = Request(
    "POST",
    "/apis/authentication.k8s.io/v1/selfsubjectreviews",
    body=b'{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}',
)


@pytest.fixture
def as_user(real_kubeconfig, tmp_path):
    """Makes a kubeconfig for the real server with another user."""
    config = msgspec.json.decode(Path(real_kubeconfig).read_bytes())

    def make(user: dict[str, object], **cluster: object) -> Path:
        config["users"][0]["user"] = user
        config["clusters"][0]["cluster"] |= cluster
        path = tmp_path / "kubeconfig"
        path.write_bytes(msgspec.json.encode(config))
        return path

    return make


@pytest.fixture
def certificate(real_kubeconfig):
    """A client certificate signed by the authority that the real server trusts, for a user and a group."""
    folder = Path(real_kubeconfig).parent
    if not (folder / "ca.key").exists():
        pytest.skip("the real API server's certificate authority has no key here")
    authority = x509.load_pem_x509_certificate((folder / "ca.crt").read_bytes())
    authority_key = serialization.load_pem_private_key((folder / "ca.key").read_bytes(), None)
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.UTC)
    name = [
        x509.NameAttribute(NameOID.COMMON_NAME, "jane"),
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "system:masters"),
    ]
    signed = (
        x509.CertificateBuilder()
        .subject_name(x509.Name(name))
        .issuer_name(authority.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    return signed.public_bytes(serialization.Encoding.PEM).decode(), private.decode()


async def who(client: Client) -> tuple[str, set[str]]:
    answer = msgspec.json.decode(await (await client.raw(WHO)).read())
    user = answer["status"]["userInfo"]
    return user["username"], set(user["groups"])


async def test_a_token(real_kubeconfig):
    async with connect(load_config(real_kubeconfig)) as client:
        assert await who(client) == ("admin", {"system:masters", "system:authenticated"})


async def test_a_client_certificate(as_user, certificate, tmp_path):
    cert, key = certificate
    (tmp_path / "jane.crt").write_text(cert)
    (tmp_path / "jane.key").write_text(key)
    path = as_user({"client-certificate": "jane.crt", "client-key": "jane.key"})
    async with connect(load_config(path)) as client:
        assert (await who(client))[0] == "jane"


async def test_a_program_that_gives_a_certificate(as_user, certificate, tmp_path):
    cert, key = certificate
    api = "client.authentication.k8s.io/v1"
    status = {"clientCertificateData": cert, "clientKeyData": key}
    answer = tmp_path / "answer.json"
    answer.write_bytes(msgspec.json.encode({"apiVersion": api, "kind": "ExecCredential", "status": status}))
    program = {"apiVersion": api, "command": sys.executable, "interactiveMode": "Never"}
    path = as_user({"exec": {**program, "args": ["-Sc", f"print(open({str(answer)!r}).read())"]}})
    async with connect(load_config(path)) as client:
        assert (await who(client))[0] == "jane"


async def test_a_program_whose_token_is_refused_runs_again(as_user, tmp_path):
    runs = tmp_path / "runs"
    api = "client.authentication.k8s.io/v1beta1"
    script = (
        f"p = {str(runs)!r}; open(p, 'a').write('x'); n = len(open(p).read()); token = 'wrong' if n == 1 else "
        '\'admin-token\'; print(\'{"apiVersion": "%s", "kind": "ExecCredential", "status": '
        f'{{"token": "%s"}}}}\' % ({api!r}, token))'
    )
    path = as_user({"exec": {"apiVersion": api, "command": sys.executable, "args": ["-Sc", script]}})
    async with connect(load_config(path)) as client:
        assert (await who(client))[0] == "admin"
        assert (await who(client))[0] == "admin"
    assert runs.read_text() == "xx"


async def test_acting_as_somebody_else(as_user):
    user = {"token": "admin-token", "as": "jane", "as-groups": ["devs", "ops"], "as-uid": "7"}
    async with connect(load_config(as_user(user))) as client:
        assert await who(client) == ("jane", {"devs", "ops", "system:authenticated"})
        with pytest.raises(errors.Forbidden, match='User "jane" cannot list resource "secrets"') as caught:
            await client.call("GET", "/api/v1/secrets")
        assert "Role" in caught.value.hint


async def test_a_wrong_token(as_user):
    async with connect(load_config(as_user({"token": "wrong"}))) as client:
        with pytest.raises(errors.Unauthorized) as caught:
            await client.call("GET", "/api/v1/secrets")
        assert "kubeconfig" in caught.value.hint


async def test_a_certificate_that_is_not_trusted(as_user, real_kubeconfig):
    other = Path(real_kubeconfig).parent / "ca.crt"
    if not other.exists():
        pytest.skip("there is no second certificate authority here")
    path = as_user({"token": "admin-token"}, **{"certificate-authority": str(other)})
    async with connect(load_config(path)) as client:
        with pytest.raises(errors.CertificateError, match="is not trusted"):
            await client.call("GET", "/api")


async def test_plain_http_to_the_tls_port(as_user, real_kubeconfig):
    server = load_config(real_kubeconfig).server
    path = as_user({"token": "admin-token"}, server=server.replace("https:", "http:"))
    async with connect(load_config(path)) as client:
        with pytest.raises(errors.BadRequest, match="HTTP request to an HTTPS server") as caught:
            await client.call("GET", "/api")
        assert "write https://" in caught.value.hint
