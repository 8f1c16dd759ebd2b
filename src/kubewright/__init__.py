"""The operator framework for Python."""
