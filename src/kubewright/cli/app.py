"""The command ``kubewright`` and its subcommands; each imports what it needs when it runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

CommandT = TypeVar("CommandT", bound=Callable[..., Any])


def debug_option(command: CommandT) -> CommandT:
    """``--debug``, on every command: the entry looks for it among the words."""
    return click.option("--debug", is_flag=True, expose_value=False, help="Show tracebacks, and log more.")(command)


class _InOrder(click.Group):
    """Lists its commands in the order a person meets them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Their names."""
        return list(self.commands)


@click.group(
    cls=_InOrder,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="`kubewright COMMAND --help` says more of each.",
)
@click.version_option(package_name="kubewright", message="kubewright %(version)s")
@debug_option
def app() -> None:
    """The operator framework for Python."""


def load_commands() -> None:
    """Enter every subcommand."""
    from kubewright.cli import add, build, cluster, completion, generate, new, run, up, version

    for command in (
        new.new,
        add.add,
        generate.generate,
        up.up,
        cluster.cluster,
        run.run,
        build.build,
        version.version,
        completion.completion,
    ):
        app.add_command(command)
