"""The embedded cluster: the server and the built-in controllers."""
