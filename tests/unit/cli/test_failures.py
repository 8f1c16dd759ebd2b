from __future__ import annotations

import click
import pytest

from kubewright.cli.failures import report
from kubewright.errors import (
    CertificateError,
    ConnectionFailed,
    Forbidden,
    Invalid,
    KubewrightError,
    MissingExtra,
    StatusCause,
    UsageError,
)


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (UsageError("wrong", hint="do this"), 2, "error: wrong\nhint: do this\n"),
        (MissingExtra("rich is missing"), 2, "hint: install it with: pip install 'kubewright[dev]'"),
        (KubewrightError("first\nsecond"), 1, "error: first\n       second\n"),
        (ConnectionFailed("refused"), 1, "hint: is the cluster running"),
        (CertificateError("unknown authority"), 1, "hint: look at certificate-authority-data"),
        (Forbidden("may not"), 1, "kubectl auth can-i --list"),
        (Invalid("no", causes=[StatusCause("x", "must be more", "spec.size")]), 1, "hint: spec.size: must be more"),
        (FileNotFoundError(2, "No such file", "x.yaml"), 1, "error: x.yaml: No such file\n"),
        (ValueError("odd"), 1, "error: ValueError: odd\nhint: this should not happen"),
        (ExceptionGroup("many", [ExceptionGroup("more", [UsageError("inner")])]), 2, "error: inner\n"),
        (click.UsageError("no such option"), 2, "error: no such option\nhint: try: kubewright --help\n"),
        (click.ClickException("odd"), 1, "error: odd\n"),
    ],
)
def test_what_is_said_and_the_exit_code(
    error: Exception, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(error, debug=False) == code
    out, err = capsys.readouterr()
    assert said in err
    assert out == ""
    assert "Traceback" not in err


def test_debug_shows_the_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        raise UsageError("wrong")
    except UsageError as error:
        report(error, debug=True)
    assert "Traceback (most recent call last)" in capsys.readouterr().err
