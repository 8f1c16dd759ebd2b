"""One kubeconfig file, and several merged into one, as client-go reads them."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from kubewright.errors import KubeconfigError


class _Part(msgspec.Struct, rename="kebab", kw_only=True):
    """Names in a kubeconfig have dashes."""


class Cluster(_Part):
    """Where an API server is, and how it is known."""

    server: str = ""
    tls_server_name: str | None = None
    insecure_skip_tls_verify: bool | None = None
    certificate_authority: str | None = None
    certificate_authority_data: str | None = None
    proxy_url: str | None = None
    disable_compression: bool | None = None


class EnvVar(msgspec.Struct):
    """A variable for an exec plugin's environment."""

    name: str
    value: str = ""


class Exec(msgspec.Struct, rename="camel", kw_only=True):
    """A program that gives credentials."""

    api_version: str = ""
    command: str = ""
    args: list[str] | None = None
    env: list[EnvVar] | None = None
    install_hint: str | None = None
    provide_cluster_info: bool | None = None
    interactive_mode: str | None = None


class AuthProvider(msgspec.Struct):
    """The old way of giving credentials, which Kubernetes removed in 1.26."""

    name: str = ""


class User(_Part):
    """Who we are to the server."""

    client_certificate: str | None = None
    client_certificate_data: str | None = None
    client_key: str | None = None
    client_key_data: str | None = None
    token: str | None = None
    token_file: str | None = msgspec.field(name="tokenFile", default=None)
    username: str | None = None
    password: str | None = None
    as_: str | None = msgspec.field(name="as", default=None)
    as_uid: str | None = None
    as_groups: list[str] | None = None
    as_user_extra: dict[str, list[str]] | None = None
    exec: Exec | None = None
    auth_provider: AuthProvider | None = None


class Context(_Part):
    """Which user at which cluster, in which namespace."""

    cluster: str = ""
    user: str = ""
    namespace: str | None = None


class _NamedCluster(msgspec.Struct):
    name: str
    cluster: Cluster | None = None


class _NamedUser(msgspec.Struct):
    name: str
    user: User | None = None


class _NamedContext(msgspec.Struct):
    name: str
    context: Context | None = None


class _File(_Part):
    kind: str | None = None
    api_version: str | None = msgspec.field(name="apiVersion", default=None)
    current_context: str | None = None
    clusters: list[_NamedCluster] | None = None
    users: list[_NamedUser] | None = None
    contexts: list[_NamedContext] | None = None


class Kubeconfig(msgspec.Struct):
    """Named clusters, users and contexts, each remembering the file it stands in."""

    files: list[Path] = []
    current_context: str = ""
    clusters: dict[str, tuple[Cluster, Path]] = {}
    users: dict[str, tuple[User, Path]] = {}
    contexts: dict[str, tuple[Context, Path]] = {}


def read(files: list[Path]) -> Kubeconfig:
    """Read ``files`` and merge them: of entries with the same name, the first file's counts.

    Raises:
        KubeconfigError: a file cannot be read, or is no kubeconfig.
    """
    merged = Kubeconfig(files=files)
    for path in files:
        file = _parse(path)
        merged.current_context = merged.current_context or file.current_context or ""
        for cluster in file.clusters or ():
            merged.clusters.setdefault(cluster.name, (cluster.cluster or Cluster(), path))
        for user in file.users or ():
            merged.users.setdefault(user.name, (user.user or User(), path))
        for context in file.contexts or ():
            merged.contexts.setdefault(context.name, (context.context or Context(), path))
    return merged


def _parse(path: Path) -> _File:
    try:
        text = path.read_bytes()
    except OSError as error:
        raise KubeconfigError(
            f"the kubeconfig {path} cannot be read: {error.strerror}",
            hint="check the path (--kubeconfig or KUBECONFIG) and that you may read it",
        ) from error
    document = _document(path, text)
    if document is None:
        return _File()
    try:
        file = msgspec.convert(document, _File, strict=False)
    except msgspec.ValidationError as error:
        raise KubeconfigError(
            f"the kubeconfig {path} has a wrong entry: {_where(error)}",
            hint="kubectl config view --kubeconfig FILE shows what kubectl makes of it",
        ) from error
    if file.kind not in {None, "", "Config"}:
        raise KubeconfigError(f"{path} is no kubeconfig: its kind is {file.kind}", hint="its kind should be Config")
    return file


def _document(path: Path, text: bytes) -> object:
    if text.lstrip().startswith(b"{"):
        try:
            decoded: object = msgspec.json.decode(text)
        except msgspec.DecodeError:
            pass  # flow-style YAML begins with a brace too
        else:
            return decoded
    import yaml

    try:
        document: object = yaml.load(text, Loader=_loader())  # noqa: S506 - a safe loader
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise KubeconfigError(
            f"the kubeconfig {path} is not YAML: {' '.join(str(error).split())}", hint="correct the line it names"
        ) from error
    return document


def _loader() -> type:
    """YAML's safe loader, without its dates: a kubeconfig has none, and what looks like one is a string."""
    import yaml

    class Loader(yaml.SafeLoader):
        pass

    Loader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    return Loader


def _where(error: msgspec.ValidationError) -> str:
    message, _, path = str(error).partition(" - at ")
    return re.sub(r"^`?\$\.?", "", path).strip("`") + f": {message}" if path else message
