"""Definitions that are not in memory are compiled beside the writer, and memory keeps so much of them."""

import asyncio
import threading
from typing import Any

import pytest

from bpm.bpmn.compiler.compile import CompiledProcess, load
from bpm.process import source_cache
from bpm.process.runtime import ProcessRuntime
from bpm.process.source_cache import SourceCache
from bpm.store.preload import LARGE
from bpm.testing import RunningApp, running_app
from bpm.threads import THREADS
from tests.bench.process_runs import model

pytestmark = pytest.mark.anyio

TASKS = 400


def large(key: str) -> str:
    names = [f"t{number}" for number in range(TASKS)]
    tasks = "".join(f'<manualTask id="{name}" name="{"x" * 100}"/>' for name in names)
    source = model(f'<startEvent id="s"/>{tasks}<endEvent id="e"/>', ("s", *names, "e"))
    return source.replace('id="bench"', f'id="{key}"')


class Compilations:
    """Compiles as ever, and notes in which threads."""

    def __init__(self) -> None:
        self.threads: list[str] = []

    def load(self, source: str, key: str) -> CompiledProcess:
        self.threads.append(threading.current_thread().name)
        return load(source, key)


def forget_all(app: RunningApp, monkeypatch: pytest.MonkeyPatch) -> Compilations:
    """Let the server know no definition, as after a restart, and return who will compile them."""
    noted = Compilations()
    bound = app.app.registry.find("StartProcessInstanceCommand").bound.values()
    (runtime,) = [service for service in bound if isinstance(service, ProcessRuntime)]
    monkeypatch.setattr(runtime.deployed, "_processes", SourceCache(noted.load))
    return noted


async def started(app: RunningApp, key: str) -> Any:
    begun = await app.cmd("StartProcessInstanceCommand", processKey=key)
    return (await app.cmd("GetProcessInstanceByIdQuery", instanceId=begun["instanceId"]))["status"]


async def test_a_large_definition_is_not_compiled_by_the_writer(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(large("cold")) > LARGE
    async with running_app() as app:
        await app.cmd("CreateProcessDefinitionCommand", name="cold", bpmnXml=large("cold"))
        noted = forget_all(app, monkeypatch)
        assert await started(app, "cold") == "COMPLETED"
        assert await started(app, "cold") == "COMPLETED"
    assert len(noted.threads) == 1
    assert noted.threads[0].startswith("bpm-large-bodies")


async def test_many_who_need_one_definition_have_it_compiled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waited for a thread finds what was made meanwhile; the threads are those of everybody's large bodies."""
    async with running_app() as app:
        await app.cmd("CreateProcessDefinitionCommand", name="cold", bpmnXml=large("cold"))
        noted = forget_all(app, monkeypatch)
        assert set(await asyncio.gather(*(started(app, "cold") for _ in range(12)))) == {"COMPLETED"}
    assert len(noted.threads) <= THREADS


async def test_memory_keeps_so_many_bytes_of_definitions(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many versions are used in turn; each still works."""
    monkeypatch.setattr(source_cache, "CACHED_BYTES", int(len(large("n0")) * 2.5))
    async with running_app() as app:
        for number in range(4):
            await app.cmd("CreateProcessDefinitionCommand", name=f"n{number}", bpmnXml=large(f"n{number}"))
        noted = forget_all(app, monkeypatch)
        for _ in range(2):
            for number in range(4):
                assert await started(app, f"n{number}") == "COMPLETED"
    assert len(noted.threads) == 8
