"""From a kubeconfig, or from the service account of the Pod we run in, to a :class:`ClientConfig`."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, urlsplit

from kubewright.client import kubeconfig_file as file
from kubewright.client.config import ClientConfig
from kubewright.client.credentials import Credentials, TokenFile, basic, bearer
from kubewright.client.exec_plugin import ExecPlugin
from kubewright.errors import CertificateError, KubeconfigError
from kubewright.http import TlsConfig

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


def load_config(
    kubeconfig: str | os.PathLike[str] | None = None,
    context: str | None = None,
    namespace: str | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    service_account: Path = SERVICE_ACCOUNT,
) -> ClientConfig:
    """Find out which API server to speak to, and as whom.

    The first of these that is there: ``kubeconfig``; the files in ``KUBECONFIG``; ``~/.kube/config``; the service
    account of the Pod we run in. Of several files the first to name an entry counts.

    Args:
        kubeconfig: a file.
        context: a context of it, instead of the current one.
        namespace: instead of the context's.
        environment: by default the process's.
        service_account: where a Pod finds its own.

    Raises:
        KubeconfigError: there is none, or it cannot be used; the message names the file and the entry.
    """
    env = os.environ if environment is None else environment
    files = _files(kubeconfig, env)
    if not files:
        if context is None and env.get("KUBERNETES_SERVICE_HOST") and (service_account / "token").exists():
            return in_cluster(namespace, environment=env, service_account=service_account)
        raise KubeconfigError(
            f"no kubeconfig: neither KUBECONFIG nor {_default(env)} names a file that is there",
            hint="give one with --kubeconfig FILE, or start a cluster: kubewright cluster up --kubeconfig FILE",
        )
    return _chosen(file.read(files), context, namespace)


def in_cluster(
    namespace: str | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    service_account: Path = SERVICE_ACCOUNT,
) -> ClientConfig:
    """The service account of the Pod we run in; its token is read again as it is renewed.

    Raises:
        KubeconfigError: this is no Pod, or it has no service account.
    """
    env = os.environ if environment is None else environment
    host, port = env.get("KUBERNETES_SERVICE_HOST", ""), env.get("KUBERNETES_SERVICE_PORT", "") or "443"
    if not host:
        raise KubeconfigError("KUBERNETES_SERVICE_HOST is not set: this is not running in a Pod of a cluster")
    token = service_account / "token"
    if not token.exists():
        raise KubeconfigError(
            f"{token} is not there", hint="the Pod needs a service account (automountServiceAccountToken: true)"
        )
    try:
        authority = _if_there(service_account / "ca.crt")
        own = _if_there(service_account / "namespace").decode().strip()
    except OSError as error:
        raise KubeconfigError(
            f"the service account of this Pod cannot be read: {error.filename}: {error.strerror}",
            hint="check the user the container runs as (securityContext.fsGroup)",
        ) from error
    return ClientConfig(
        server=f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}",
        namespace=namespace or own or "default",
        tls=TlsConfig(ca_pem=authority),
        credentials=TokenFile(token),
        source="the service account of this Pod",
    )


def _if_there(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


def _default(env: Mapping[str, str]) -> Path:
    home = env.get("HOME") or env.get("USERPROFILE")
    return (Path(home) if home else Path.home()) / ".kube" / "config"


def _files(kubeconfig: str | os.PathLike[str] | None, env: Mapping[str, str]) -> list[Path]:
    if kubeconfig is not None:
        return [Path(kubeconfig).expanduser()]
    if env.get("KUBECONFIG"):
        named = [Path(name).expanduser() for name in env["KUBECONFIG"].split(os.pathsep) if name]
        there = [path for path in named if path.exists()]
        if not there:
            raise KubeconfigError(
                f"KUBECONFIG names no file that is there: {env['KUBECONFIG']}", hint="correct it, or unset it"
            )
        return there
    default = _default(env)
    return [default] if default.exists() else []


def _chosen(config: file.Kubeconfig, name: str | None, namespace: str | None) -> ClientConfig:
    files = ", ".join(map(str, config.files))
    name = name or config.current_context
    if not name:
        raise KubeconfigError(
            f"{files} has no current-context",
            hint=f"choose one with --context: {', '.join(config.contexts) or 'but it has no contexts either'}",
        )
    if name not in config.contexts:
        raise KubeconfigError(
            f'{files} has no context "{name}"', hint=f"it has: {', '.join(config.contexts) or 'none'}"
        )
    context, context_file = config.contexts[name]
    where = f'context "{name}" of {context_file}'
    if context.cluster not in config.clusters:
        raise KubeconfigError(
            f'the {where} names the cluster "{context.cluster}", which is not there',
            hint=f"there are: {', '.join(config.clusters) or 'none'}",
        )
    if context.user and context.user not in config.users:
        raise KubeconfigError(
            f'the {where} names the user "{context.user}", which is not there',
            hint=f"there are: {', '.join(config.users) or 'none'}",
        )
    cluster = _Entry(f'cluster "{context.cluster}"', config.clusters[context.cluster][1])
    user = _Entry(f'user "{context.user}"', config.users[context.user][1] if context.user else context_file)
    described = config.clusters[context.cluster][0]
    account = config.users[context.user][0] if context.user else file.User()
    server = _server(cluster, described)
    tls = _tls(cluster, described, user, account)
    return ClientConfig(
        server=server,
        namespace=namespace or context.namespace or "default",
        tls=tls,
        credentials=_credentials(user, account, described, server, tls),
        headers=_impersonation(user, account),
        proxy=_proxy(cluster, described),
        # On this machine the wire costs nothing and compressing does.
        compression=not described.disable_compression
        and urlsplit(server).hostname not in {"localhost", "127.0.0.1", "::1"},
        context=name,
        source=str(context_file),
    )


class _Entry:
    """An entry of a kubeconfig, for finding the files it names and for complaining of it."""

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        self.path = path

    def wrong(self, what: str, hint: str = "") -> KubeconfigError:
        return KubeconfigError(f"{self.name} of {self.path}: {what}", hint=hint)

    def beside(self, path: str) -> Path:
        """``path``, relative to the kubeconfig it stands in."""
        return self.path.absolute().parent / Path(path).expanduser()

    def pem(self, data: str | None, path: str | None, field: str) -> bytes:
        """What ``field`` holds: inline data counts before the file, as with kubectl."""
        if data:
            try:
                return base64.b64decode("".join(data.split()), validate=True)
            except binascii.Error as error:
                raise self.wrong(f"{field}-data is not base64 ({error})", "encode the PEM with base64") from error
        if not path:
            return b""
        try:
            return self.beside(path).read_bytes()
        except OSError as error:
            raise self.wrong(
                f"{field} {self.beside(path)} cannot be read: {error.strerror}",
                "correct the path, or make it readable",
            ) from error


def _server(entry: _Entry, cluster: file.Cluster) -> str:
    server = cluster.server.strip()
    if not server:
        raise entry.wrong("it has no server", "the URL of the API server, https://host:6443, goes there")
    if "://" not in server:
        server = f"http://{server}" if server.startswith(("localhost", "127.")) else f"https://{server}"
    try:
        parts = urlsplit(server)
        valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise entry.wrong(f"its server is no URL: {cluster.server}", "it should look like https://host:6443")
    return server


def _tls(cluster_entry: _Entry, cluster: file.Cluster, user_entry: _Entry, user: file.User) -> TlsConfig:
    ca = cluster_entry.pem(
        cluster.certificate_authority_data, cluster.certificate_authority, "certificate-authority"
    )
    if ca and cluster.insecure_skip_tls_verify:
        raise cluster_entry.wrong(
            "it has both a certificate-authority and insecure-skip-tls-verify", "remove one of them"
        )
    cert = user_entry.pem(user.client_certificate_data, user.client_certificate, "client-certificate")
    key = user_entry.pem(user.client_key_data, user.client_key, "client-key")
    if bool(cert) != bool(key):
        missing = "client-key" if cert else "client-certificate"
        raise user_entry.wrong(f"{missing} is missing", "client-certificate and client-key go together")
    _usable(cluster_entry, TlsConfig(ca_pem=ca, verify=bool(ca)))
    _usable(user_entry, TlsConfig(client_cert_pem=cert, client_key_pem=key, verify=False))
    return TlsConfig(
        ca_pem=ca,
        client_cert_pem=cert,
        client_key_pem=key,
        server_name=cluster.tls_server_name or "",
        verify=not cluster.insecure_skip_tls_verify,
    )


def _usable(entry: _Entry, tls: TlsConfig) -> None:
    try:
        tls.context()
    except CertificateError as error:
        raise entry.wrong(str(error), error.hint) from error


def _proxy(entry: _Entry, cluster: file.Cluster) -> str | None:
    if not cluster.proxy_url:
        return None
    scheme = urlsplit(cluster.proxy_url).scheme
    if scheme not in {"http", "https"}:
        raise entry.wrong(
            f"its proxy-url has the scheme {scheme or '(none)'}", "http:// and https:// proxies are supported"
        )
    return cluster.proxy_url


def _credentials(
    entry: _Entry, user: file.User, cluster: file.Cluster, server: str, tls: TlsConfig
) -> Credentials | None:
    if user.token_file:
        return TokenFile(entry.beside(user.token_file), token=user.token or "")
    if user.token:
        return bearer(user.token)
    if user.username or user.password:
        return basic(user.username or "", user.password or "")
    if user.exec is not None:
        return ExecPlugin(entry.name, entry.path, user.exec, cluster, server, tls)
    if user.auth_provider is not None:
        raise entry.wrong(
            f"its auth-provider {user.auth_provider.name} is of a kind that Kubernetes removed in 1.26",
            "write the credentials anew with your provider's tool, which sets up an exec plugin "
            "(gke-gcloud-auth-plugin, kubelogin, …)",
        )
    return None


def _impersonation(entry: _Entry, user: file.User) -> tuple[tuple[str, str], ...]:
    if not user.as_:
        if user.as_groups or user.as_uid or user.as_user_extra:
            raise entry.wrong("as-groups, as-uid and as-user-extra need as", "say as which user")
        return ()
    headers = [("impersonate-user", user.as_)]
    if user.as_uid:
        headers.append(("impersonate-uid", user.as_uid))
    headers += [("impersonate-group", group) for group in user.as_groups or ()]
    for key, values in (user.as_user_extra or {}).items():
        headers += [(f"impersonate-extra-{quote(key.lower(), safe='')}", value) for value in values]
    return tuple(headers)
