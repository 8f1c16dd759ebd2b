"""All that is needed to reach one API server as somebody."""

from __future__ import annotations

from dataclasses import dataclass, field

from kubewright.client.client import Client
from kubewright.client.credentials import AuthenticatedTransport, Credentials
from kubewright.client.retries import Retries
from kubewright.http import NetworkTransport, TlsConfig
from kubewright.wire import Transport


@dataclass(frozen=True, slots=True)
class ClientConfig:
    """Where the API server is, how it is known, and who we are to it.

    Attributes:
        server: its URL.
        namespace: the context's, or ``default``.
        tls: whom to trust, and our client certificate.
        credentials: what is sent along to say who we are; None for nothing, or a client certificate only.
        headers: sent with every request; names may repeat (impersonation).
        proxy: a proxy's URL; None asks the environment.
        compression: ask for gzip: lists are several times smaller on the wire, at twice the work for the server.
        context: the name of the kubeconfig's context, empty in a cluster.
        source: where all this comes from, for people: a file, or "the service account of this Pod".
    """

    server: str
    namespace: str = "default"
    tls: TlsConfig = field(default_factory=TlsConfig)
    credentials: Credentials | None = None
    headers: tuple[tuple[str, str], ...] = ()
    proxy: str | None = field(default=None, repr=False)
    compression: bool = True
    context: str = ""
    source: str = ""


def connect(config: ClientConfig, *, user_agent: str = "kubewright", retries: Retries | None = None) -> Client:
    """A client for ``config``. Nothing is opened until the first request; close it when done.

    ``user_agent`` and ``retries`` are as :class:`Client` takes them.
    """

    def network(tls: TlsConfig) -> Transport:
        return NetworkTransport(
            config.server,
            tls=tls,
            proxy=config.proxy,
            headers=config.headers,
            compression=config.compression,
        )

    credentials = config.credentials
    transport = (
        network(config.tls) if credentials is None else AuthenticatedTransport(network, config.tls, credentials)
    )
    return Client(transport, namespace=config.namespace, user_agent=user_agent, retries=retries)
