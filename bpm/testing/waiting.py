"""Waits for what other tasks, or other processes, bring about."""

import asyncio
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import Any, TypeVar, overload

T = TypeVar("T")


@overload
async def until(
    ask: Callable[[], Awaitable[T]], holds: Callable[[T], object] = ..., *, seconds: float = ..., pause: float = ...
) -> T: ...
@overload
async def until(
    ask: Callable[[], T], holds: Callable[[T], object] = ..., *, seconds: float = ..., pause: float = ...
) -> T: ...
async def until(
    ask: Callable[[], T | Awaitable[T]],
    holds: Callable[[T], object] = bool,
    *,
    seconds: float = 30,
    pause: float = 0.01,
) -> T:
    """Ask again and again until the answer is as it should be, and return it.

    `ask` may be asynchronous; without `holds` the answer has to be true. After so many seconds it raises
    `AssertionError` with the last answer.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while True:
        answer: Any = ask()
        if isawaitable(answer):
            answer = await answer
        if holds(answer):
            return answer
        if loop.time() >= deadline:
            raise AssertionError(f"it is not so after {seconds:g} s: {answer!r}")
        await asyncio.sleep(pause)
