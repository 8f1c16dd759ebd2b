from __future__ import annotations

import base64
import os
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from kubewright import clock, errors
from kubewright.client import in_cluster, load_config
from kubewright.wire import Request

CLUSTER = {"server": "https://10.0.0.1:6443"}


def config(cluster=None, user=None, context=None, **more):
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "clusters": [{"name": "c", "cluster": CLUSTER if cluster is None else cluster}],
        "users": [{"name": "u", "user": user or {}}],
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u", **(context or {})}}],
        **more,
    }


@pytest.fixture
def write(tmp_path):
    def write(content, name="config"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else msgspec.yaml.encode(content))
        return path

    return write


async def authorization(loaded):
    identity = await loaded.credentials.identity()
    return identity.authorization


async def test_a_token_in_yaml_and_in_json(write):
    content = config(user={"token": "secret"}, context={"namespace": "ns"})
    for encoded in (msgspec.yaml.encode(content), msgspec.json.encode(content)):
        loaded = load_config(write(encoded))
        assert (loaded.server, loaded.namespace, loaded.context) == ("https://10.0.0.1:6443", "ns", "here")
        assert await authorization(loaded) == "Bearer secret"
        assert "secret" not in repr(loaded)
    assert load_config(write(content), namespace="other").namespace == "other"


async def test_a_name_and_a_password(write):
    loaded = load_config(write(config(user={"username": "me", "password": "pw"})))
    assert await authorization(loaded) == "Basic " + base64.b64encode(b"me:pw").decode()


@pytest.fixture(scope="session")
def pem():
    """A certificate that signed itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = clock.now()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificate.public_bytes(serialization.Encoding.PEM), private


def test_certificates_from_files_beside_the_kubeconfig_and_inline(write, pem):
    cert, key = pem
    write(cert, "sub/cert.pem")
    write(key, "sub/key.pem")
    user = {"client-certificate": "cert.pem", "client-key": "key.pem"}
    loaded = load_config(write(config({**CLUSTER, "certificate-authority": "cert.pem"}, user), "sub/config"))
    assert (loaded.tls.ca_pem, loaded.tls.client_cert_pem, loaded.tls.client_key_pem) == (cert, cert, key)
    cert64, key64 = (base64.b64encode(part).decode() for part in pem)
    cluster = {**CLUSTER, "certificate-authority-data": cert64, "certificate-authority": "nowhere"}
    loaded = load_config(write(config(cluster, {"client-certificate-data": cert64, "client-key-data": key64})))
    assert (loaded.tls.ca_pem, loaded.tls.client_cert_pem, loaded.tls.client_key_pem) == (cert, cert, key)


def test_what_a_cluster_may_say(write):
    cluster = {**CLUSTER, "tls-server-name": "k8s", "insecure-skip-tls-verify": True, "proxy-url": "http://p:1"}
    loaded = load_config(write(config(cluster)))
    assert (loaded.tls.server_name, loaded.tls.verify, loaded.proxy) == ("k8s", False, "http://p:1")
    assert loaded.credentials is None


@pytest.mark.parametrize(
    ("cluster", "compression"),
    [
        (CLUSTER, True),
        (CLUSTER | {"disable-compression": True}, False),
        ({"server": "https://127.0.0.1:6443"}, False),
        ({"server": "https://localhost:6443"}, False),
        ({"server": "https://[::1]:6443"}, False),
    ],
)
def test_answers_are_compressed_unless_the_server_is_here(write, cluster, compression):
    assert load_config(write(config(cluster))).compression is compression


def test_acting_as_somebody_else(write):
    user = {
        "as": "jane",
        "as-uid": "7",
        "as-groups": ["a", "b"],
        "as-user-extra": {"Acme/Scope": ["x", "y"]},
        "token": "t",
    }
    assert load_config(write(config(user=user))).headers == (
        ("impersonate-user", "jane"),
        ("impersonate-uid", "7"),
        ("impersonate-group", "a"),
        ("impersonate-group", "b"),
        ("impersonate-extra-acme%2Fscope", "x"),
        ("impersonate-extra-acme%2Fscope", "y"),
    )


async def test_of_several_files_the_first_to_name_an_entry_counts(write):
    first = write(
        {
            "current-context": "both",
            "users": [{"name": "u", "user": {"tokenFile": "token"}}],
            "contexts": [{"name": "both", "context": {"cluster": "c", "user": "u"}}],
        },
        "one/config",
    )
    second = write(config(user={"token": "second"}), "two/config")
    write(b"first\n", "one/token")
    env = {"KUBECONFIG": os.pathsep.join([str(first), "/nowhere", "", str(second)])}
    loaded = load_config(environment=env)
    assert loaded.context == "both"
    assert await authorization(loaded) == "Bearer first"
    assert load_config(environment=env, context="here").context == "here"


def test_the_default_place(write, tmp_path):
    write(config(), ".kube/config")
    assert load_config(environment={"HOME": str(tmp_path)}).server == CLUSTER["server"]


def service_account(write):
    write(b"one", "sa/token")
    write(b"authority", "sa/ca.crt")
    return write(b"prod\n", "sa/namespace").parent


async def test_in_a_pod(write, tmp_path):
    env = {"KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "6443", "HOME": str(tmp_path)}
    loaded = load_config(environment=env, service_account=service_account(write))
    assert (loaded.server, loaded.namespace, loaded.tls.ca_pem) == ("https://10.96.0.1:6443", "prod", b"authority")
    assert await authorization(loaded) == "Bearer one"
    env["KUBERNETES_SERVICE_HOST"] = "fd00::1"
    assert in_cluster("mine", environment=env, service_account=tmp_path / "sa").server == "https://[fd00::1]:6443"


def test_a_pod_that_may_not_read_its_account(write, tmp_path):
    folder = service_account(write)
    (folder / "ca.crt").unlink()
    (folder / "ca.crt").mkdir()
    with pytest.raises(errors.KubeconfigError, match=r"cannot be read: .*ca\.crt") as caught:
        in_cluster(environment={"KUBERNETES_SERVICE_HOST": "x"}, service_account=folder)
    assert "fsGroup" in caught.value.hint


def test_no_kubeconfig_at_all(tmp_path):
    with pytest.raises(errors.KubeconfigError, match="no kubeconfig") as caught:
        load_config(environment={"HOME": str(tmp_path)})
    assert "--kubeconfig" in caught.value.hint
    with pytest.raises(errors.KubeconfigError, match="KUBERNETES_SERVICE_HOST"):
        in_cluster(environment={})
    with pytest.raises(errors.KubeconfigError, match="token is not there"):
        in_cluster(environment={"KUBERNETES_SERVICE_HOST": "x"}, service_account=tmp_path)


EXEC = {"apiVersion": "client.authentication.k8s.io/v1", "command": "x", "interactiveMode": "Never"}


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"{a: [", "is not YAML"),
        (b"\xff\xfe\x00", "is not YAML"),
        (b"- a\n- b\n", "has a wrong entry"),
        (b"a string", "has a wrong entry"),
        (b"", "has no current-context"),
        ({"kind": "Pod"}, "its kind is Pod"),
        (config() | {"clusters": {"c": {}}}, "clusters: Expected `array"),
        (config(context={"cluster": ["c"]}), r"contexts\[0\]\.context\.cluster: Expected `str`"),
        (config() | {"current-context": ""}, "has no current-context"),
        (config() | {"current-context": "gone"}, 'has no context "gone"'),
        (config(context={"cluster": "gone"}), 'context "here" of .* names the cluster "gone"'),
        (config(context={"user": "gone"}), 'context "here" of .* names the user "gone"'),
        (config(cluster={}), 'cluster "c" of .*: it has no server'),
        (config(cluster={"server": "https://"}), "its server is no URL"),
        (config(cluster={"server": "ftp://x"}), "its server is no URL"),
        (config(cluster={"server": "https://x:port"}), "its server is no URL"),
        (config(cluster=CLUSTER | {"proxy-url": "socks5://x:1"}), "proxy-url has the scheme socks5"),
        (
            config(cluster=CLUSTER | {"certificate-authority": "/nowhere/ca"}),
            "certificate-authority /nowhere/ca cannot",
        ),
        (
            config(cluster=CLUSTER | {"certificate-authority-data": "%%"}),
            "certificate-authority-data is not base64",
        ),
        (
            config(cluster=CLUSTER | {"certificate-authority-data": "YQ==", "insecure-skip-tls-verify": True}),
            "both a certificate-authority and insecure-skip-tls-verify",
        ),
        (config(user={"client-certificate-data": "YQ=="}), 'user "u" of .*: client-key is missing'),
        (config(user={"client-key-data": "YQ=="}), "client-certificate is missing"),
        (config(user={"client-certificate": "/nowhere/c"}), "client-certificate /nowhere/c cannot be read"),
        (config(user={"auth-provider": {"name": "gcp"}}), "auth-provider gcp is of a kind that Kubernetes removed"),
        (
            config(cluster=CLUSTER | {"certificate-authority-data": "YQ=="}),
            'cluster "c" of .*: the certificate authority is not a PEM certificate',
        ),
        (
            config(user={"client-certificate-data": "YQ==", "client-key-data": "YQ=="}),
            'user "u" of .*: the client certificate and its key cannot be used',
        ),
        (config(user={"as-groups": ["a"]}), "need as"),
        (config(user={"exec": EXEC | {"apiVersion": "client.authentication.k8s.io/v1alpha1"}}), "v1alpha1"),
        (config(user={"exec": EXEC | {"command": ""}}), "has no command"),
        (config(user={"exec": EXEC | {"interactiveMode": "Sometimes"}}), "interactiveMode Sometimes"),
        (
            config(user={"exec": {k: v for k, v in EXEC.items() if k != "interactiveMode"}}),
            r"interactiveMode \(none\)",
        ),
    ],
)
def test_each_mistake_is_named(write, content, complaint):
    path = write(content)
    with pytest.raises(errors.KubeconfigError, match=complaint) as caught:
        load_config(path)
    assert str(path) in str(caught.value)
    assert caught.value.hint


def test_a_file_that_is_not_there_or_is_a_folder(tmp_path):
    with pytest.raises(errors.KubeconfigError, match="cannot be read: No such file"):
        load_config(tmp_path / "gone")
    with pytest.raises(errors.KubeconfigError, match="cannot be read: Is a directory"):
        load_config(tmp_path)
    with pytest.raises(errors.KubeconfigError, match="KUBECONFIG names no file that is there"):
        load_config(environment={"KUBECONFIG": str(tmp_path / "gone")})


def test_a_name_that_looks_like_something_else_is_still_a_name(write):
    text = b"""
current-context: 2024-01-01
clusters: [{name: 1234, cluster: {server: "https://x"}}]
contexts: [{name: 2024-01-01, context: {cluster: 1234, user: yes}}]
users: [{name: yes, user: {token: 0123}}]
"""
    try:
        load_config(write(text))
    except errors.KubeconfigError as error:
        assert "wrong entry" in str(error)  # noqa: PT017 - either is honest; a traceback is not


async def test_a_missing_token_file(write):
    loaded = load_config(write(config(user={"tokenFile": "gone"})))
    with pytest.raises(errors.KubeconfigError, match=r"token file .*gone cannot be read"):
        await authorization(loaded)


async def test_a_client_that_cannot_log_in_says_so(write, scripted):
    from kubewright.client import connect

    async with connect(load_config(write(config(user={"tokenFile": "gone"})))) as client:
        with pytest.raises(errors.KubeconfigError):
            await client.raw(Request("GET", "/api"))


def test_paths_begin_at_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    Path(tmp_path, "k").write_bytes(msgspec.json.encode(config()))
    assert load_config("~/k").source == str(tmp_path / "k")
