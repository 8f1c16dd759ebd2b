"""Finds user code that holds up the loop: each step of a coroutine is timed."""

from __future__ import annotations

import types
from collections.abc import Callable, Coroutine, Generator
from typing import Any, TypeVar

from kubewright import clock

T = TypeVar("T")


@types.coroutine
def timed(
    coroutine: Coroutine[Any, Any, T], stalled: Callable[[float], None], threshold: float
) -> Generator[Any, Any, T]:
    """Await ``coroutine``; tell ``stalled`` of every step between two awaits that took ``threshold`` seconds."""
    step: Callable[[Any], Any] = coroutine.send
    argument: BaseException | None = None
    while True:
        began = clock.monotonic()
        try:
            waiting_for = step(argument)
        except StopIteration as stop:
            returned: T = stop.value
            return returned
        finally:
            seconds = clock.monotonic() - began
            if seconds >= threshold:
                stalled(seconds)
        step, argument = coroutine.send, None
        try:
            yield waiting_for
        except BaseException as error:  # noqa: BLE001 - handed on
            step, argument = coroutine.throw, error
