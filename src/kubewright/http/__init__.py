"""The network transport: pooling, TLS, proxies, streams."""

from kubewright.http.network import NetworkTransport
from kubewright.http.proxy import ProxyFromEnvironment
from kubewright.http.tls import TlsConfig

__all__ = ["NetworkTransport", "ProxyFromEnvironment", "TlsConfig"]
