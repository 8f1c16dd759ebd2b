"""The command line: arguments and printing."""

from kubewright.cli.entry import main

__all__ = ["main"]
