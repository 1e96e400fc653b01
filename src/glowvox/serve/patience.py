"""Waiting for what a client writes next, but not for ever."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from glowvox.serve.problems import Refusal

T = TypeVar("T")


async def patiently(reading: Coroutine[Any, Any, T], seconds: float, busy: Callable[[], bool]) -> T:
    """Return what is read; a client that is being spoken to may be silent as long as that lasts.

    Args:
        reading: the read, which is not begun anew in between.
        seconds: for which a client may write nothing.
        busy: whether it is being spoken to.

    Raises:
        Refusal: it wrote nothing for too long.
    """
    task = asyncio.create_task(reading)
    try:
        while True:
            done, _ = await asyncio.wait({task}, timeout=seconds)
            if done:
                return task.result()
            if not busy():
                raise Refusal(408, f"nothing was written for {seconds:g} s", code="idle")
    finally:
        task.cancel()
