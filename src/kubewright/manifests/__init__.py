"""CRDs, RBAC and Deployment, all from an Operator value."""
