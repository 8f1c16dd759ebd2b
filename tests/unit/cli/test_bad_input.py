"""Wrong use and failures: a clear error, the right exit code, no traceback, nothing left behind."""

from __future__ import annotations

import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Kubewright = Callable[..., CompletedProcess[str]]


def refused(result: CompletedProcess[str], code: int, *said: str) -> None:
    assert result.returncode == code, result.stderr
    assert result.stderr.startswith("error: ")
    for words in said:
        assert words in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--bogus"], "No such option"),
        (["bogus"], "No such command 'bogus'"),
        (["new"], "Missing argument 'NAME'"),
        (["new", "Bad_Name"], "must be a DNS label"),
        (["add", "api", "--kind=X"], "Missing option '--api-version'"),
        (["add", "api", "--kind=App", "--api-version=app.example.com/v1"], "not in a Kubewright project"),
        (["generate"], "not in a Kubewright project"),
        (["generate", "bogus"], "'bogus' is not 'k8s'"),
        (["up", "--embedded"], "not in a Kubewright project"),
        (["up", "local", "there", "here"], "one PROJECT, not 2"),
        (["up", "nowhere"], "nowhere is not a folder"),
        (["up", "--embedded", "--context", "x"], "--context belongs to a kubeconfig"),
        (["up", "--port", "1"], "--port is the embedded cluster's"),
        (["cluster", "up", "--port", "70000"], "70000 is not in the range"),
        (["run", "nothing"], "'nothing' is not MODULE:FACTORY"),
        (["run", "nothing:factory"], "there is no module 'nothing'"),
        (["run"], "not in a Kubewright project"),
        (["completion", "tcsh"], "'tcsh' is not one of"),
    ],
)
def test_wrong_use(kubewright: Kubewright, words: list[str], said: str) -> None:
    result = kubewright(*words)
    refused(result, 2, said)
    assert "hint: " in result.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "No such file"),
        ("apiVersion: [", "not valid YAML"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n", "metadata.name"),
        ("kind: AppService\nmetadata: {name: x}\n", "apiVersion"),
        ("just words\n", "not the manifest of an object"),
    ],
)
def test_a_wrong_manifest(
    kubewright: Kubewright, project: Path, tmp_path: Path, text: str | None, said: str
) -> None:
    manifest = tmp_path / "app.yaml"
    if text is not None:
        manifest.write_text(text)
    refused(kubewright("up", "--embedded", project, "--apply", manifest), 2, str(manifest), said)


@pytest.mark.parametrize(
    ("text", "more", "said"),
    [
        (None, [], "kubeconfig"),
        ("clusters: [", [], "kubeconfig"),
        ("[]", [], "kubeconfig"),
        ("apiVersion: v1\nkind: Config\ncontexts: []\n", ["--context", "mine"], "mine"),
    ],
)
def test_a_wrong_kubeconfig(
    kubewright: Kubewright, project: Path, tmp_path: Path, text: str | None, more: list[str], said: str
) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    if text is not None:
        kubeconfig.write_text(text)
    for command in (["up", project], ["run", "--log-format=console"]):
        result = kubewright(*command, "--kubeconfig", kubeconfig, *more, cwd=project)
        refused(result, 2, said)


def kubeconfig_of(server: str, path: Path, *, authority: bytes = b"") -> Path:
    import base64

    data = f"certificate-authority-data: {base64.b64encode(authority).decode()}" if authority else ""
    path.write_text(
        f"""
apiVersion: v1
kind: Config
current-context: c
contexts: [{{name: c, context: {{cluster: c, user: u}}}}]
users: [{{name: u, user: {{token: t}}}}]
clusters:
- name: c
  cluster:
    server: {server}
    {data}
"""
    )
    return path


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def test_an_unreachable_server(kubewright: Kubewright, project: Path, tmp_path: Path) -> None:
    server = f"https://127.0.0.1:{free_port()}"
    result = kubewright("up", project, "--kubeconfig", kubeconfig_of(server, tmp_path / "kubeconfig"))
    refused(result, 1, server.removeprefix("https://"), "hint: ")


def certificate() -> tuple[bytes, bytes]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "stranger")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return made.public_bytes(serialization.Encoding.PEM), private


@contextmanager
def tls_server(folder: Path) -> Iterator[int]:
    """Answers every handshake with a certificate that nobody trusts."""
    public, private = certificate()
    (folder / "tls.pem").write_bytes(public + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "tls.pem")
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                accepted, _ = listening.accept()
            except OSError:
                return
            with accepted:
                try:
                    context.wrap_socket(accepted, server_side=True).close()
                except OSError:
                    continue

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()


def test_a_wrongly_certified_server(kubewright: Kubewright, project: Path, tmp_path: Path) -> None:
    other, _ = certificate()
    with tls_server(tmp_path) as port:
        kubeconfig = kubeconfig_of(f"https://127.0.0.1:{port}", tmp_path / "kubeconfig", authority=other)
        refused(kubewright("up", project, "--kubeconfig", kubeconfig), 1, "certificate", "hint: ")


def test_an_exception_in_the_user_s_module(kubewright: Kubewright, project: Path) -> None:
    controller = project / "src/opdemo/controllers/appservice.py"
    controller.write_text(controller.read_text() + "\nraise ValueError('odd')\n")
    line = controller.read_text().count("\n")
    for command in (["up", "--embedded"], ["generate"], ["run"]):
        result = kubewright(*command, cwd=project)
        refused(result, 1, f"{controller}:{line}: ValueError: odd", "--debug")
    assert "Traceback" in kubewright("generate", "--debug", cwd=project).stderr


def test_a_syntax_error_in_the_user_s_module(kubewright: Kubewright, project: Path) -> None:
    controller = project / "src/opdemo/controllers/appservice.py"
    controller.write_text("def broken(:\n")
    refused(kubewright("generate", cwd=project), 1, f"{controller}:1: invalid syntax")


@pytest.mark.parametrize(
    ("factory", "said"),
    [
        ("def operator(): return 3", "returned int, not an Operator"),
        ("operator = 3", "is not a function"),
        (
            "from kubewright import Operator\noperator = Operator('x', controllers=[])",
            "not a function that makes one",
        ),
        ("def other(): ...", "has no 'operator'"),
    ],
)
def test_a_factory_that_makes_no_operator(kubewright: Kubewright, project: Path, factory: str, said: str) -> None:
    (project / "src/opdemo/operator.py").write_text(factory + "\n")
    refused(kubewright("generate", cwd=project), 2, said)


def test_a_factory_that_raises(kubewright: Kubewright, project: Path) -> None:
    path = project / "src/opdemo/operator.py"
    path.write_text("def operator():\n    return 1 / 0\n")
    refused(kubewright("generate", cwd=project), 1, f"{path}:2: ZeroDivisionError")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_command_that_is_told_to_stop(project: Path, number: signal.Signals) -> None:
    (project / "src/opdemo/operator.py").write_text("print('here', flush=True)\nimport time\ntime.sleep(60)\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "kubewright", "generate"],
        cwd=project,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"here\n"
    process.send_signal(number)
    assert process.communicate(timeout=20) == (b"", b"")
    assert process.returncode == 128 + number


def test_completion_completes(kubewright: Kubewright) -> None:
    assert "_KUBEWRIGHT_COMPLETE=bash_complete" in kubewright("completion", "bash").stdout
    asked = {"_KUBEWRIGHT_COMPLETE": "bash_complete", "COMP_WORDS": "kubewright up --emb", "COMP_CWORD": "2"}
    assert kubewright(env=asked).stdout == "plain,--embedded\n"


def test_lines_changed_by_hand_are_kept_and_named(kubewright: Kubewright, project: Path) -> None:
    role = project / "deploy" / "role.yaml"
    edited = role.read_text().replace("- watch", "- watch # mine", 1)
    role.write_text(edited)
    result = kubewright("generate", "--check", cwd=project)
    assert (result.returncode, result.stderr) == (0, "")
    assert "edited    deploy/role.yaml" in result.stdout

    controller = project / "src/opdemo/controllers/appservice.py"
    controller.write_text(controller.read_text().replace("core.Service)", "core.Service, core.ConfigMap)", 1))
    for words in (["generate", "k8s"], ["generate", "--check"]):
        result = kubewright(*words, cwd=project)
        refused(result, 1, "hint: ")
        assert "-  - watch # mine" in result.stdout
        assert "+  - configmaps" in result.stdout
        assert role.read_text() == edited

    assert kubewright("generate", "--force", cwd=project).returncode == 0
    assert "# mine" not in role.read_text()
    assert kubewright("generate", "--check", cwd=project).returncode == 0


@pytest.mark.parametrize("words", [[], ["add"], ["cluster"]])
def test_without_a_command_the_help_is_shown(kubewright: Kubewright, words: list[str]) -> None:
    result = kubewright(*words)
    assert result.returncode == 2
    assert result.stderr.startswith("Usage: kubewright")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has /dev/full")
def test_output_that_cannot_be_written(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        result = subprocess.run(
            [sys.executable, "-m", "kubewright", "version"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            timeout=60,
            check=False,
        )
    assert result.returncode == 1
    assert result.stderr.startswith("error: cannot write: No space left on device")


@pytest.mark.skipif(sys.platform == "win32", reason="a shell's way of closing a stream")
def test_a_closed_output_is_no_failure(tmp_path: Path) -> None:
    result = subprocess.run(
        ["/bin/sh", "-c", 'exec "$0" -m kubewright new demo >&-', sys.executable],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=60,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")
