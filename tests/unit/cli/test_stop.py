"""Signals, sent to a process of its own."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

PROGRAM = """
import asyncio, sys, time
from kubewright.cli.stop import Stopped, stop

async def body():
    try:
        print("up", flush=True)
        await asyncio.Event().wait()
    finally:
        print("cleaning", flush=True)
        if {hangs}:
            await asyncio.Event().wait()
        print("clean", flush=True)

stop.install()
try:
    if {early}:
        print("up", flush=True)
        if {swallowed}:
            try:
                time.sleep(60)
            except BaseException:
                pass
        else:
            time.sleep(60)
    stop.run(body())
except Stopped as stopped:
    print("stopped by", int(stopped.number), flush=True)
"""

SIGNALS = [signal.SIGINT, signal.SIGTERM]


@contextmanager
def program(
    *, hangs: bool = False, early: bool = False, swallowed: bool = False
) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", PROGRAM.format(hangs=hangs, early=early, swallowed=swallowed)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", SIGNALS)
def test_the_first_signal_lets_it_clean_up(number: signal.Signals) -> None:
    with program() as process:
        process.send_signal(number)
        assert process.communicate(timeout=20)[0] == "cleaning\nclean\n"
        assert process.returncode == 0


@pytest.mark.parametrize("number", SIGNALS)
def test_the_second_leaves_at_once(number: signal.Signals) -> None:
    with program(hangs=True) as process:
        assert process.stdout is not None
        process.send_signal(number)
        assert process.stdout.readline() == "cleaning\n"
        process.send_signal(number)
        assert process.wait(timeout=20) == 128 + number


@pytest.mark.parametrize("number", SIGNALS)
def test_before_the_event_loop_runs(number: signal.Signals) -> None:
    with program(early=True) as process:
        process.send_signal(number)
        assert process.communicate(timeout=20)[0] == f"stopped by {int(number)}\n"
        assert process.returncode == 0


@pytest.mark.parametrize("number", SIGNALS)
def test_where_the_exception_is_swallowed(number: signal.Signals) -> None:
    with program(early=True, swallowed=True) as process:
        process.send_signal(number)
        assert "clean" not in process.communicate(timeout=20)[0]
        assert process.returncode == 0


@contextmanager
def inherited(hangup: signal.Handlers) -> Iterator[None]:
    """Programs started in the block begin with this disposition of SIGHUP, whatever the tests were started with."""
    before = signal.signal(signal.SIGHUP, hangup)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="Windows has no SIGHUP")
class TestTheTerminalCloses:
    def test_it_cleans_up(self) -> None:
        with inherited(signal.SIG_DFL), program() as process:
            process.send_signal(signal.SIGHUP)
            assert process.communicate(timeout=20)[0] == "cleaning\nclean\n"
            assert process.returncode == 0

    def test_a_second_time_while_it_cleans_up(self) -> None:
        with inherited(signal.SIG_DFL), program(hangs=True) as process:
            assert process.stdout is not None
            process.send_signal(signal.SIGHUP)
            assert process.stdout.readline() == "cleaning\n"
            process.send_signal(signal.SIGHUP)
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=20) == 128 + signal.SIGTERM

    def test_below_nohup_it_goes_on(self) -> None:
        with inherited(signal.SIG_IGN), program() as process:
            process.send_signal(signal.SIGHUP)
            process.send_signal(signal.SIGTERM)
            assert process.communicate(timeout=20)[0] == "cleaning\nclean\n"
