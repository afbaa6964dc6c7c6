"""The filter says of every system call, on both machines, what the table says."""

import ctypes
import errno
import platform
import re
from pathlib import Path

import pytest

from scripts.wall.seccomp import ALLOW, KILL_PROCESS, SystemCallFilter
from scripts.wall.syscalls import ALLOWED, MACHINES, REFUSED, Machine, this_machine

REFUSE = 0x00050000 | errno.EPERM
CHECKED = {"tgkill", "mmap", "mprotect"}


def verdict(machine: Machine, number: int, *arguments: int, audit: int | None = None) -> int:
    """Return what the kernel would, by running the filter's program (classic BPF) on one call."""
    data = {0: number, 4: machine.audit if audit is None else audit}
    data |= {16 + 8 * at: value & 0xFFFFFFFF for at, value in enumerate(arguments)}
    lines, at, value = SystemCallFilter(machine).lines, 0, 0
    while True:
        code, if_true, if_false, operand = lines[at]
        at += 1
        if code == 0x06:
            return operand
        if code == 0x20:
            value = data.get(operand, 0)
            continue
        holds = {0x15: value == operand, 0x35: value >= operand, 0x45: bool(value & operand)}[code]
        at += if_true if holds else if_false


@pytest.mark.parametrize("name", MACHINES)
def test_each_call_has_the_verdict_of_its_list(name: str) -> None:
    """Listed calls pass, questions are refused, all other numbers kill."""
    machine = MACHINES[name]
    listed = {machine.numbers[call]: call for call in (*ALLOWED, *REFUSED) if call in machine.numbers}
    for number in range(600):
        call = listed.get(number)
        if call not in CHECKED:
            expected = KILL_PROCESS if call is None else ALLOW if call in ALLOWED else REFUSE
            assert verdict(machine, number) == expected, (number, call)


@pytest.mark.parametrize("name", MACHINES)
def test_calls_with_conditions_are_judged_by_their_arguments(name: str) -> None:
    """No memory becomes executable, and signals go nowhere but home."""
    machine = MACHINES[name]
    for call in ("mmap", "mprotect"):
        assert verdict(machine, machine.numbers[call], 0, 4096, 3) == ALLOW
        assert verdict(machine, machine.numbers[call], 0, 4096, 7) == REFUSE
    assert verdict(machine, machine.numbers["tgkill"], 1, 1, 9) == KILL_PROCESS


@pytest.mark.parametrize("name", MACHINES)
def test_another_instruction_set_kills(name: str) -> None:
    """Calls by 32-bit numbers, or through the x32 table, never pass."""
    machine = MACHINES[name]
    assert verdict(machine, machine.numbers["read"], audit=0x40000003) == KILL_PROCESS
    assert verdict(machine, 0x40000000 + machine.numbers["read"]) == KILL_PROCESS


def test_every_listed_call_exists_somewhere() -> None:
    """A misspelt name in a list would silently allow or refuse nothing."""
    known = {call for machine in MACHINES.values() for call in machine.numbers}
    assert set(ALLOWED) | set(REFUSED) == known
    assert not set(ALLOWED) & set(REFUSED)


HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}


@pytest.mark.parametrize("name", MACHINES)
def test_numbers_are_those_of_the_kernel(name: str) -> None:
    """The tables agree with the kernel's own headers where they are installed."""
    if not HEADERS[name].exists():
        pytest.skip("the kernel's headers are not installed")
    text = HEADERS[name].read_text()
    official = {call: int(number) for call, number in re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", text)}
    official.setdefault("newfstatat", official.get("fstatat", -1))
    assert {call: official[call] for call in MACHINES[name].numbers} == MACHINES[name].numbers


def test_this_machine_has_a_table() -> None:
    """The machine that runs the tests is one the wall is built for, with 64-bit words."""
    assert ctypes.sizeof(ctypes.c_void_p) == 8
    assert this_machine() is MACHINES.get(platform.machine())
