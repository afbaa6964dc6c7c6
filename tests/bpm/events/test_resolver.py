"""Name servers are asked in threads, and those that do not answer hold up no other host."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from bpm.events import probe as probing
from bpm.events.attempt import resolver
from bpm.events.attempt.resolver import GuardedResolver
from bpm.events.dns_lookups import DnsLookups
from bpm.security.net import AddressList
from bpm.security.net_targets import TargetError, Targets

pytestmark = pytest.mark.anyio


@pytest.fixture
def answered(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, list[str]]]:
    """What name servers say; the one of `*.tarpit` says nothing before the test is over."""
    said: dict[str, list[str]] = {}
    over = threading.Event()

    def resolve(host: str, port: int, *_rest: Any) -> list[Any]:
        if host.endswith(".tarpit"):
            over.wait(120)
            raise OSError("no answer")
        kinds = {True: socket.AF_INET6, False: socket.AF_INET}
        return [(kinds[":" in one], socket.SOCK_STREAM, 6, "", (one, port)) for one in said[host]]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    yield said
    over.set()


async def test_one_organisation_keeps_few_threads_busy(answered: dict[str, list[str]]) -> None:
    """A host is asked for once at a time, and another organisation's are found beside any number of silent ones."""
    answered["good.example"] = ["8.8.8.8"]
    look_ups = DnsLookups(threads=4, each=2)
    silent = [asyncio.create_task(look_ups.ask(1, f"{number % 10}.tarpit")) for number in range(30)]
    await asyncio.sleep(0)
    found, _ = await asyncio.wait_for(look_ups.ask(2, "good.example"), 30)
    assert found[0][4][0] == "8.8.8.8"
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(look_ups.ask(1, "good.example"), 0.1)
    for one in silent:
        one.cancel()
    await asyncio.gather(*silent, return_exceptions=True)
    look_ups.close()


async def test_a_probe_waits_in_no_thread_of_others(
    answered: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unanswered probes leave the threads free in which passwords are checked, and other organisations' probes."""
    monkeypatch.setattr(probing, "LOOK_UPS", DnsLookups(probing.THREADS, probing.EACH))
    targets = Targets(AddressList(()))
    tasks = [
        asyncio.create_task(probing.probe(targets.check_url(f"https://{number}.tarpit/"), targets, 1))
        for number in range(40)
    ]
    await asyncio.sleep(0.05)
    await asyncio.wait_for(asyncio.to_thread(threading.get_ident), 30)
    answered["inner.example"] = ["10.0.0.1"]
    with pytest.raises(TargetError, match="not a public address"):
        await asyncio.wait_for(probing.probe(targets.check_url("https://inner.example/"), targets, 20), 30)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    probing.LOOK_UPS.close()


async def test_one_inner_address_spoils_them_all(answered: dict[str, list[str]]) -> None:
    """A host with several addresses, one of which is private, is not reached by any of them."""
    found = GuardedResolver(Targets(AddressList(())))
    answered["good.example"] = ["8.8.8.8", "2606:4700::1111", "8.8.8.8"]
    answered["mixed.example"] = ["8.8.8.8", "10.0.0.1"]
    assert [one["host"] for one in await found.resolve("good.example", 443)] == ["8.8.8.8", "2606:4700::1111"]
    with pytest.raises(TargetError, match=r"10\.0\.0\.1 is not a public address"):
        await found.resolve("mixed.example", 443)
    await found.close()


async def test_an_answer_may_be_another_the_next_time(answered: dict[str, list[str]]) -> None:
    """A name that led outside is judged anew when it is asked for again."""
    found = GuardedResolver(Targets(AddressList(())))
    answered["turning.example"] = ["8.8.8.8"]
    await found.resolve("turning.example", 443)
    answered["turning.example"] = ["169.254.169.254"]
    with pytest.raises(TargetError):
        await found.resolve("turning.example", 443)
    await found.close()


async def test_silent_name_servers_hold_up_no_known_host(
    answered: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many hosts are waited for, one that was found before is found at once."""
    monkeypatch.setattr(resolver, "THREADS", 2)
    found = GuardedResolver(Targets(AddressList(())))
    answered["good.example"] = ["8.8.8.8"]
    await found.resolve("good.example", 443)
    silent = [asyncio.create_task(found.resolve(f"{number}.tarpit", 443)) for number in range(10)]
    await asyncio.sleep(0)
    await asyncio.wait_for(found.resolve("good.example", 443), 30)
    for one in silent:
        one.cancel()
    await asyncio.gather(*silent, return_exceptions=True)
    await found.close()
