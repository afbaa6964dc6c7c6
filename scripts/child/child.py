"""The locked process that does a job: one and out, or job after job for the same rule."""

import os
import signal
from collections.abc import Mapping
from typing import Any, NamedTuple, NoReturn

from scripts.child.execution import Language, perform
from scripts.child.wire import Wire
from scripts.shared.frames import HEADER, pack, unpack
from scripts.wall import locks

REHEARSAL = """
def pick(line, *rest, most=3, **more):
    return line["k"] if line["n"] < most else None

total = 0.0
found = {}
for line in payload:
    total += line["n"] * 1.5
    found[line["k"]] = found.get(line["k"], 0) + line["n"]
    found[line["k"]] += 1
names = sorted({line["k"] for line in payload}, key=lambda name: name.lower())
kept = [pick(line) for line in payload if line["n"] > 1]
text = f"{total:.2f} " + ", ".join(str(name) for name in names)
try:
    found["none"]
except KeyError as error:
    text = text.replace("a", "b").strip().split(" ")[0] + str(error)
log(text, len(kept), max(found.values()))
result = {"total": total, "names": names, "kept": kept, "text": text, "more": [None, True, (1, 2)]}
"""
"""A script of a bit of everything: what it touches, the next script finds in memory of its own."""

REHEARSED_PAYLOAD = [{"k": "a", "n": 1}, {"k": "B", "n": 2.5}]


class Nobody(Wire):
    """A wire that leads nowhere."""

    def write(self, message: Mapping[str, Any]) -> None:
        """Pack a message as usual and drop it."""
        unpack(pack(message)[HEADER.size :])


class Setting(NamedTuple):
    """What every child inherits from its zygote."""

    language: Language
    zygote: int
    """Process id of the zygote."""
    address_space: int
    """Bytes of address space a child starts with."""
    rehearsal: bytes
    """The compiled rehearsal."""
    confined: bool
    """Whether the system call filter holds on this machine; then no child runs without it."""


def become_child(order: dict[str, Any], socket: int, trace: int, setting: Setting) -> NoReturn:
    """Turn a fresh fork of the zygote into a locked child and serve until it is no longer wanted.

    `order` holds `cpu` (seconds of its life), `memory` (bytes on top of what the zygote occupies), `compiles`
    (whether it will compile instead of run) and `reused`: such a child has no CPU timer, because the server
    measures each of its runs.
    """
    try:
        locks.tie_to_parent(setting.zygote)
        locks.arrange_descriptors(socket, trace)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        locks.watch_for_death()
        reused = order["reused"]
        locks.limit_resources(order["cpu"], setting.address_space + order["memory"])
        if not reused:
            locks.start_timer(order["cpu"])
        if locks.filter_calls() or not setting.confined:
            if order["compiles"]:
                setting.language.compile(REHEARSAL, len(REHEARSAL))
            else:
                rehearse(setting.language, setting.rehearsal)
            serve(setting.language, reused)
    finally:
        os._exit(0)


def rehearse(language: Language, code: bytes) -> bool:
    """Run a script for nobody: the memory that a first run touches is then this process's own already.

    A page that is still shared with the zygote costs several microseconds when it is first written to. Returns
    whether the script ended well.
    """
    limits = {"sends": 1, "log_lines": 1, "log_bytes": 1000, "result_bytes": 10_000, "result_values": 1_000}
    inputs = {"payload": REHEARSED_PAYLOAD}
    job = {"t": "run", "code": code, "inputs": inputs, "seed": 1, "now": "2026-01-01T00:00:00Z", "limits": limits}
    return perform(job, language, Nobody())


def serve(language: Language, reused: bool) -> None:
    """Do jobs until one ends badly, or just one when the child is not for reuse.

    The child then stays until the server has read its clock and closes the socket.
    """
    wire = Wire()
    while perform(wire.read(), language, wire) and reused:
        pass
    wire.wait_for_end()
