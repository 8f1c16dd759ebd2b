"""Queue, controllers, desired state, the operator."""
