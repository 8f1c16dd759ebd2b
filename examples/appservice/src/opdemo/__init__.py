"""opdemo: a Kubernetes operator."""
