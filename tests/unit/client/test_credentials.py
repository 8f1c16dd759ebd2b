from __future__ import annotations

import asyncio
import json
import os
import stat
import sys
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from kubewright import clock, errors
from kubewright.client import load_config
from kubewright.client.credentials import AuthenticatedTransport, TokenFile
from kubewright.http import TlsConfig
from kubewright.wire import Request

API = "client.authentication.k8s.io/v1"


class Adjustable(clock.Clock):
    """A clock that a test turns on."""

    def __init__(self):
        self.seconds = 0.0

    def now(self):
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self):
        return self.seconds


@pytest.fixture
def time():
    with clock.use(Adjustable()) as adjustable:
        yield adjustable


@pytest.fixture
def plugin(tmp_path):
    """Makes a program that counts its runs, shows its environment, and answers as told; and its credentials."""

    def make(status=None, *, script="", user=None, cluster=None, **exec_config):
        program = tmp_path / "bin" / "login"
        program.parent.mkdir(exist_ok=True)
        answer = {"apiVersion": API, "kind": "ExecCredential", "status": status}
        (tmp_path / "answer.json").write_bytes(msgspec.json.encode(answer))
        program.write_text(
            f"#!{sys.executable} -S\nimport os, sys\n"
            f"os.chdir({str(tmp_path)!r})\n"
            "open('runs', 'a').write('x')\n"
            "told = [os.environ['KUBERNETES_EXEC_INFO'], os.environ.get('EXTRA', '')]\n"
            "open('environment', 'w').write('\\n'.join(told))\n"
            "open('arguments', 'w').write(' '.join(sys.argv[1:]))\n"
            f"{script}\n"
            "sys.stdout.write(open('answer.json').read())\n"
        )
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        config = {
            "current-context": "x",
            "clusters": [{"name": "c", "cluster": cluster or {"server": "https://x"}}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
            "users": [
                {
                    "name": "u",
                    "user": {
                        "exec": {
                            "apiVersion": API,
                            "command": "bin/login",
                            "interactiveMode": "Never",
                            **exec_config,
                        }
                    },
                }
            ],
        }
        path = tmp_path / "config"
        path.write_bytes(msgspec.yaml.encode(config))
        return load_config(path).credentials

    return make


def runs(tmp_path) -> int:
    return len((tmp_path / "runs").read_text())


async def test_a_token_of_a_program_is_kept_until_it_expires(plugin, tmp_path, time):
    expires = (time.now() + timedelta(seconds=100)).isoformat()
    credentials = plugin({"token": "one", "expirationTimestamp": expires})
    identities = await asyncio.gather(*(credentials.identity() for _ in range(5)))
    assert {identity.authorization for identity in identities} == {"Bearer one"}
    assert runs(tmp_path) == 1
    time.seconds = 99
    await credentials.identity()
    assert runs(tmp_path) == 1
    time.seconds = 101
    await credentials.identity()
    assert runs(tmp_path) == 2


async def test_a_refused_token_is_asked_for_once_more(plugin, tmp_path):
    credentials = plugin({"token": "one"})
    identity = await credentials.identity()
    assert credentials.refused(identity)
    assert credentials.refused(identity)
    again = await credentials.identity()
    assert runs(tmp_path) == 2
    assert credentials.refused(identity), "refused before the program ran again"
    assert await credentials.identity() is again
    assert runs(tmp_path) == 2


async def test_what_the_program_is_told(plugin, tmp_path):
    cluster = {"server": "https://x", "tls-server-name": "k", "insecure-skip-tls-verify": True}
    credentials = plugin(
        {"token": "t"},
        cluster=cluster,
        args=["get", "token"],
        env=[{"name": "EXTRA", "value": "more"}],
        provideClusterInfo=True,
    )
    await credentials.identity()
    info, extra = (tmp_path / "environment").read_text().split("\n")
    assert json.loads(info) == {
        "apiVersion": API,
        "kind": "ExecCredential",
        "spec": {
            "interactive": False,
            "cluster": {"server": "https://x", "tls-server-name": "k", "insecure-skip-tls-verify": True},
        },
    }
    assert extra == "more"
    assert (tmp_path / "arguments").read_text() == "get token"


async def test_a_certificate_of_a_program(plugin):
    identity = await plugin({"clientCertificateData": "CERT", "clientKeyData": "KEY"}).identity()
    assert (identity.authorization, identity.client_cert_pem, identity.client_key_pem) == ("", b"CERT", b"KEY")
    assert "KEY" not in repr(identity)


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"status": None}, "neither a token nor a client certificate"),
        ({"status": {}}, "neither a token nor a client certificate"),
        ({"status": {"clientCertificateData": "x"}}, "without its key"),
        ({"script": "sys.exit('not logged in')"}, "exit code 1: not logged in"),
        ({"script": "print('<html>'); sys.exit()"}, "wrote no ExecCredential"),
        ({"script": "print('{}'); sys.exit()"}, r"wrote a \(no kind\) of \(no apiVersion\)"),
    ],
)
async def test_a_program_that_gives_nothing(plugin, given, complaint):
    credentials = plugin(**given, installHint="install it from example.com")
    with pytest.raises(errors.KubeconfigError, match=complaint) as caught:
        await credentials.identity()
    assert 'user "u" of' in str(caught.value)
    assert caught.value.hint == "install it from example.com"


async def test_a_program_that_is_not_there(plugin):
    credentials = plugin(command="no-such-program", installHint="brew install no-such-program")
    with pytest.raises(errors.KubeconfigError, match="no-such-program cannot be run") as caught:
        await credentials.identity()
    assert caught.value.hint == "brew install no-such-program"


async def test_a_program_that_must_ask_but_has_no_terminal(plugin, monkeypatch):
    credentials = plugin({"token": "t"}, interactiveMode="Always")
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(errors.KubeconfigError, match="needs a terminal"):
        await credentials.identity()


async def test_at_a_terminal_it_may_ask(plugin, tmp_path, monkeypatch):
    class Terminal:
        def isatty(self):
            return True

    monkeypatch.setattr("sys.stdin", Terminal())
    await plugin({"token": "t"}, interactiveMode="IfAvailable").identity()
    assert '"interactive":true' in (tmp_path / "environment").read_text()
    await plugin({"token": "t"}, interactiveMode="Never").identity()
    assert '"interactive":false' in (tmp_path / "environment").read_text()


async def test_a_program_is_stopped_with_what_asked_for_it(plugin, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    credentials = plugin(script="import signal; open('pipe', 'w').write(str(os.getpid())); signal.pause()")
    asking = asyncio.create_task(credentials.identity())
    process = int(await asyncio.to_thread(pipe.read_text))
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


async def test_a_token_file_is_read_again(tmp_path, time):
    path = tmp_path / "token"
    path.write_text("one\n")
    credentials = TokenFile(path)
    assert (await credentials.identity()).authorization == "Bearer one"
    path.write_text("two")
    time.seconds = 59
    assert (await credentials.identity()).authorization == "Bearer one"
    time.seconds = 61
    assert (await credentials.identity()).authorization == "Bearer two"
    path.unlink()
    time.seconds = 200
    assert (await credentials.identity()).authorization == "Bearer two"


async def test_after_a_refusal_the_request_is_sent_once_more_with_a_new_token(tmp_path, scripted):
    path = tmp_path / "token"
    path.write_text("old")
    _, script = scripted.client(
        lambda request: (
            scripted.json({}) if request.headers["authorization"] == "Bearer new" else scripted.failure(401, "")
        )
    )
    transport = AuthenticatedTransport(lambda tls: script, TlsConfig(), TokenFile(path))
    assert (await transport.send(Request("GET", "/"))).status == 401
    assert len(script.requests) == 1, "the file holds no other token: asking again is no use"
    path.write_text("new")
    assert (await transport.send(Request("GET", "/"))).status == 200
    await transport.close()
    assert script.closed


async def test_a_new_certificate_is_used_for_new_connections(plugin, tmp_path, scripted):
    credentials = plugin({"clientCertificateData": "A", "clientKeyData": "A"})
    made = []

    def network(tls):
        _, script = scripted.client(lambda request: scripted.json({}))
        made.append((tls.client_cert_pem, script))
        return script

    transport = AuthenticatedTransport(network, TlsConfig(), credentials)
    await transport.send(Request("GET", "/"))
    await transport.send(Request("GET", "/"))
    answer = (tmp_path / "answer.json").read_text().replace('"A"', '"B"')
    (tmp_path / "answer.json").write_text(answer)
    credentials.refused(await credentials.identity())
    await transport.send(Request("GET", "/"))
    assert [(pem, len(script.requests)) for pem, script in made] == [(b"", 0), (b"A", 2), (b"B", 1)]
    await transport.close()
    assert all(script.closed for _, script in made)
