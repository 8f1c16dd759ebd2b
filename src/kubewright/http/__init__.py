"""The network transport: pooling, TLS, proxies, streams."""
