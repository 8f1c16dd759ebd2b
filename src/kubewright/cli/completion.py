"""``kubewright completion``."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from kubewright.cli.app import app, debug_option


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@debug_option
def completion(shell: str) -> None:
    """Print the completion script of a shell.

    For instance: source <(kubewright completion bash)
    """
    found = get_completion_class(shell)
    if found is None:
        raise click.UsageError(f"no completion for {shell}")
    click.echo(found(app, {}, "kubewright", "_KUBEWRIGHT_COMPLETE").source())
