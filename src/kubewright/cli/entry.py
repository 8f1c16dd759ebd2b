"""From the process's arguments to its exit code."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from kubewright.cli.stop import Stopped, stop

# A signal is how these are told to end: that is no failure.
_UNTIL_STOPPED = frozenset({"cluster", "run", "up"})


def main(arguments: Sequence[str] | None = None) -> None:
    """Run ``kubewright`` and leave with its exit code: 0 done, 1 failed, 2 wrong use."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    command = next((word for word in words if not word.startswith("-")), "")
    try:
        stop.install()
        code = _run(words)
    except Stopped as stopped:
        code = 0 if command in _UNTIL_STOPPED else 128 + stopped.number
    sys.exit(code)


def _run(words: list[str]) -> int:
    import os

    # Python has no stream where the shell has closed it (`>&-`): what would be said goes nowhere.
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115 - open until the process ends
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115

    import click

    from kubewright.cli.app import app, load_commands
    from kubewright.cli.failures import DONE, FAILED, report

    load_commands()
    try:
        app.main(words, prog_name="kubewright", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Exit as leave:
        return leave.exit_code
    except click.exceptions.NoArgsIsHelpError as help_wanted:
        click.echo(help_wanted.format_message(), err=True)
        return help_wanted.exit_code
    except SystemExit as leave:
        return leave.code if isinstance(leave.code, int) else FAILED
    except Stopped:
        raise
    except BrokenPipeError:
        # Whoever read our output has gone (`| head`): nothing to tell, and nobody to tell it to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except BaseException as error:  # noqa: BLE001 - the one place where everything ends
        return report(error, debug="--debug" in words)
    return DONE


def debugging() -> bool:
    """Whether ``--debug`` was given."""
    return "--debug" in sys.argv
