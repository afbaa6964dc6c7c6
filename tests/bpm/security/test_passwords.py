"""Passwords are hashed slowly, in threads, and compared without telling who exists."""

import asyncio
import subprocess
import sys

import pytest
from argon2 import PasswordHasher

from bpm.security.passwords import Passwords, generate_password, is_outdated
from tests.effort import Effort

pytestmark = pytest.mark.anyio


async def test_a_password_is_told_from_another() -> None:
    """The right password verifies, every other one does not."""
    passwords = Passwords()
    known = await passwords.hash("correct horse battery")
    assert await passwords.verify(known, "correct horse battery")
    assert not await passwords.verify(known, "correct horse batterz")
    assert not await passwords.verify(known, "")


async def test_a_hash_is_argon2id_with_a_salt() -> None:
    """Two hashes of one password differ, name argon2id and hold no part of it."""
    passwords = Passwords()
    first, second = await passwords.hash("correct horse"), await passwords.hash("correct horse")
    assert first != second
    assert first.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


async def test_composed_and_decomposed_letters_are_one() -> None:
    """A letter with its accent in one code point or in two is the same password."""
    passwords = Passwords()
    assert await passwords.verify(await passwords.hash("caf\u00e9 au lait!"), "cafe\u0301 au lait!")


@pytest.mark.parametrize("password", ["\ud800" * 12, "nul\0in the middle", "☃" * 500])
async def test_any_text_is_a_password(password: str) -> None:
    """Lone surrogates, NUL and snowmen neither crash nor get lost."""
    passwords = Passwords()
    known = await passwords.hash(password)
    assert await passwords.verify(known, password)
    assert not await passwords.verify(known, password[:3])


@pytest.mark.parametrize("known", ["", "plain", "$argon2id$v=19$m=19456,t=2,p=1$", "$2b$12$abc"])
async def test_a_broken_hash_verifies_nothing(known: str) -> None:
    """What is no argon2 hash answers no."""
    assert not await Passwords().verify(known, "anything")


async def test_an_unknown_user_takes_as_long() -> None:
    """Without a hash the answer is no after the work of a verification; counted is processor time."""
    passwords = Passwords()
    known = await passwords.hash("correct horse")
    assert not await passwords.verify(None, "correct horse")
    with_user = min([await _processor_seconds(passwords, known) for _ in range(7)])
    without = min([await _processor_seconds(passwords, None) for _ in range(7)])
    assert 0.5 < without / with_user < 2


async def test_only_a_few_hashes_run_at_once() -> None:
    """The others wait for their turn, are counted, and the event loop stays free meanwhile."""
    passwords = Passwords(parallel=1)
    tasks = [asyncio.create_task(passwords.hash("correct horse")) for _ in range(4)]
    await asyncio.sleep(0)
    assert passwords.waiting == 4
    ticks = 0
    while not all(task.done() for task in tasks):
        await asyncio.sleep(0.001)
        ticks += 1
    assert ticks > 10
    assert passwords.waiting == 0


async def test_a_hash_of_other_parameters_is_outdated() -> None:
    """A hash made with other parameters still verifies and is known to be renewed."""
    old = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash("correct horse")
    passwords = Passwords()
    assert is_outdated(old)
    assert await passwords.verify(old, "correct horse")
    assert not is_outdated(await passwords.hash("correct horse"))


def test_generated_passwords_are_long_and_differ() -> None:
    """A generated password has 24 characters and none comes twice."""
    made = {generate_password() for _ in range(100)}
    assert len(made) == 100
    assert {len(password) for password in made} == {24}


async def _processor_seconds(passwords: Passwords, known: str | None) -> float:
    effort = Effort()
    await passwords.verify(known, "a wrong guess")
    return effort.seconds


WITHOUT_MEMORY = """
import asyncio, resource, sys, time
from pathlib import Path
from bpm.errors import Unavailable
from bpm.heap import keep_heap_small
from bpm.security.passwords import Passwords

async def main():
    await asyncio.gather(*(asyncio.to_thread(time.sleep, 0.1) for _ in range(40)))  # all threads there will be
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + 4_000_000, resource.RLIM_INFINITY))
    for asked in (Passwords().verify(sys.argv[1], "correct horse"), Passwords().hash("correct horse")):
        try:
            print(await asked)
        except Unavailable:
            print("Unavailable")
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

keep_heap_small()
asyncio.run(main())
"""


async def test_a_password_that_could_not_be_checked_is_not_wrong() -> None:
    """Without memory for its hash the right one was refused, and counted as an attempt by somebody else."""
    known = await Passwords().hash("correct horse")
    checked = subprocess.run(  # noqa: ASYNC221 there is nothing beside it
        [sys.executable, "-c", WITHOUT_MEMORY, known], capture_output=True, text=True, check=True, timeout=60
    )
    assert checked.stdout.split() == ["Unavailable", "Unavailable"]
