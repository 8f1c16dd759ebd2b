"""What a person reads when something fails, and the exit code."""

from __future__ import annotations

import errno
import sys
import traceback

import click

from kubewright.errors import ApiError, CertificateError, ConnectionFailed, Forbidden, KubewrightError, UsageError

DONE, FAILED, WRONG_USE = 0, 1, 2

# A stream's errors name no file.
_CANNOT_WRITE = frozenset({errno.ENOSPC, errno.EFBIG, errno.EIO})


class UserCodeError(KubewrightError):
    """The user's own code raised; the message names the file and the line."""


def report(error: BaseException, *, debug: bool) -> int:
    """Say on stderr what failed and what to do next; the exit code."""
    if debug:
        traceback.print_exception(error, file=sys.stderr)
    if isinstance(error, BaseExceptionGroup):
        error = _first(error)
    if isinstance(error, click.UsageError):
        _say(error.format_message(), _usage_hint(error))
        return WRONG_USE
    if isinstance(error, click.ClickException):
        _say(error.format_message(), "")
        return FAILED
    if isinstance(error, KubewrightError):
        _say(str(error), error.hint or _hint(error))
        return WRONG_USE if isinstance(error, UsageError) else FAILED
    if isinstance(error, OSError) and error.filename is not None:
        _say(f"{error.filename}: {error.strerror}", "")
        return FAILED
    if isinstance(error, OSError) and error.errno in _CANNOT_WRITE:
        _say(f"cannot write: {error.strerror}", "what it prints, or a file it writes, has no place: make room")
        return FAILED
    _say(
        f"{type(error).__name__}: {error}",
        "this should not happen: run it again with --debug and report what it prints",
    )
    return FAILED


def _say(message: str, hint: str) -> None:
    lines = message.rstrip().splitlines() or ["unknown"]
    click.echo(click.style("error: ", fg="red", bold=True) + "\n       ".join(lines), err=True)
    for number, line in enumerate(hint.splitlines()):
        head = click.style("hint: ", fg="cyan", bold=True) if number == 0 else "      "
        click.echo(head + line, err=True)


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    inner = group.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner


def _usage_hint(error: click.UsageError) -> str:
    if error.ctx is None:
        return "try: kubewright --help"
    return f"try: {error.ctx.command_path} --help"


def _hint(error: KubewrightError) -> str:
    if isinstance(error, CertificateError):
        return "look at certificate-authority-data and tls-server-name of this cluster in the kubeconfig"
    if isinstance(error, ConnectionFailed):
        return "is the cluster running, and is its address in the kubeconfig right? `--embedded` needs none"
    if isinstance(error, Forbidden):
        return (
            "ask for a Role that allows it, or use another context: kubectl auth can-i --list shows what you may do"
        )
    if isinstance(error, ApiError) and error.causes:
        return "\n".join(f"{cause.field}: {cause.message}" for cause in error.causes if cause.field)
    return ""
