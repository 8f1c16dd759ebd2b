"""The API client: kubeconfig, authentication, discovery, verbs, watches."""
