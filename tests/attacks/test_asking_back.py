"""What strangers, and providers that do not answer, make of our questions to providers: neither holds the worker."""

import asyncio
import tracemalloc
from pathlib import Path
from typing import Any, cast

import brotli
import pytest

from bpm.errors import Failed, Unavailable
from bpm.fair_slots import FairSlots
from bpm.testing import running_app, until
from router.providers.client import ProviderClient
from router.providers.mono import endpoints
from router.providers.mono.confirmation import MonoApi
from router.providers.mono.settings import MonoSettings
from router.providers.remita.confirmation import MAX_SAID, RemitaApi
from router.providers.remita.settings import RemitaSettings
from router.providers.silence import PAUSE_SECONDS, UNANSWERED, ProviderSilence
from tests.bpm.events.serving import Authority, saying, serving

pytestmark = pytest.mark.anyio

MIB = 1024 * 1024

RETURN = "/api/webhooks/mono/callback?code="


class Provider:
    """A provider on loopback that answers with one body, in a coding, or never."""

    def __init__(self, body: bytes = b"", coding: bytes = b"identity") -> None:
        self.body = body
        self._coding = coding
        self.asked: list[str] = []

    async def __aenter__(self) -> "Provider":
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.asked.append(head.decode().split(" ")[1])
        if not self.body:
            await reader.read()  # until the client has had enough
        about = b"connection: close\r\ncontent-encoding: %s\r\ncontent-length: %d" % (self._coding, len(self.body))
        writer.write(b"HTTP/1.1 200 OK\r\n%s\r\n\r\n%s" % (about, self.body))
        writer.close()


async def test_strangers_with_made_up_codes_are_counted_by_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing proves a browser that comes back from Mono, and each has Mono asked with the installation's key."""
    mono = {"webhook_secret": "s3cret-of-Mono", "secret_key": "test_sk"}
    burst = endpoints.BROWSERS.burst
    async with Provider() as silent, running_app(mono={**mono, "base_url": silent.url}, worker=False) as app:
        statuses = [(await app.http.get(f"{RETURN}made-up-{n}")).status_code for n in range(burst + 20)]
        assert statuses[:burst] == [200] * burst
        assert 429 in statuses[burst:]
        genuine = {"event": "mono.events.account_connected", "data": {"id": "a"}}
        answer = await app.http.post(
            "/api/webhooks/mono/callback", json=genuine, headers={"mono-webhook-secret": mono["webhook_secret"]}
        )
        assert answer.status_code == 200


async def test_a_provider_that_never_answers_is_asked_by_few() -> None:
    """After some questions without an answer the others are told at once, until one question is answered."""
    now = 0.0
    async with Provider() as silent:
        client = ProviderClient(timeout_seconds=1, now=lambda: now)
        for _ in range(UNANSWERED):
            with pytest.raises(Unavailable, match="no answer within"):
                await client.ask("GET", silent.url, {})
        for _ in range(50):
            with pytest.raises(Unavailable, match="did not answer others"):
                await client.ask("GET", silent.url, {})
        assert len(silent.asked) <= UNANSWERED  # a busy machine may give one up before it has arrived
        now += PAUSE_SECONDS
        silent.body = b"{}"
        assert (await client.ask("GET", silent.url, {})).ok
        assert (await client.ask("GET", silent.url, {})).ok
        await client.close()


def test_one_question_tells_whether_a_provider_is_still_silent() -> None:
    """Others wait for what it tells, no longer than a question takes; another provider is asked all the while."""
    now = 0.0
    silence = ProviderSilence(15.0, lambda: now)
    for _ in range(UNANSWERED):
        silence.note_none("mono")
    assert (silence.lasts("mono"), silence.lasts("remita")) == (True, False)
    now += PAUSE_SECONDS
    assert [silence.lasts("mono") for _ in range(3)] == [False, True, True]
    silence.note_none("mono")
    assert silence.lasts("mono")
    now += PAUSE_SECONDS
    assert not silence.lasts("mono")
    silence.note_answer("mono")
    assert [silence.lasts("mono") for _ in range(3)] == [False, False, False]


@pytest.mark.parametrize(("reference", "mandate"), [("..", None), (".", None), ("r", ".."), ("..", "m")])
async def test_no_name_leads_to_another_address_of_the_provider(reference: str, mandate: str | None) -> None:
    """A step of two dots goes up: what stands there is nothing about the payment."""
    async with Provider(b'{"data": {"status": "successful", "amount": 100}}') as mono:
        client = ProviderClient()
        api = MonoApi(MonoSettings.model_validate({"secret_key": "test_sk", "base_url": mono.url}), client)
        with pytest.raises(Failed, match="no name"):
            await api.payment_status(reference, mandate)
        assert (await api.payment_status("a/../b?c#d", "m")).is_done
        assert mono.asked == ["/v3/payments/mandates/m/debits/a%2F..%2Fb%3Fc%23d"]
        await client.close()


async def test_what_a_provider_says_is_kept_in_part() -> None:
    """An answer may be long, a row's message not."""
    body = b'{"status": "01", "amount": "1", "message": "%s"}' % (b"m" * 40_000)
    async with Provider(body) as remita:
        client = ProviderClient()
        settings = {"merchant_id": "1", "api_key": "k", "base_url": remita.url}
        answer = await RemitaApi(RemitaSettings.model_validate(settings), client).status("123")
        assert answer.is_done
        assert answer.message == "m" * MAX_SAID
        await client.close()


async def test_what_is_packed_is_not_unpacked_beyond_the_limit() -> None:
    """A hundred bytes may stand for all of the memory there is."""
    async with Provider(packed(b"{}"), b"br") as mono:
        client = ProviderClient()
        assert (await client.ask("GET", mono.url, {})).body == b"{}"
        mono.body = packed(bytes(64 * MIB))
        tracemalloc.start()
        with pytest.raises(Unavailable, match="its answer is over 65536 bytes"):
            await client.ask("GET", mono.url, {})
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 8 * MIB
        await client.close()


async def test_the_system_s_authorities_vouch_for_providers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As for every receiver: a company's own authority is believed when the system believes it."""
    authority = Authority(tmp_path)
    async with serving(saying(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"), authority.context()) as port:
        stranger, client = ProviderClient(), ProviderClient()
        with pytest.raises(Unavailable, match="Certificate"):
            await stranger.ask("GET", f"https://127.0.0.1:{port}/", {})
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
        assert (await client.ask("GET", f"https://127.0.0.1:{port}/", {})).ok
        await stranger.close()
        await client.close()


async def test_a_flood_before_a_provider_s_answer_is_cut_off() -> None:
    """Provisional answers are no body, and are counted nevertheless."""
    async with serving(saying(b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" * 1_000, endless=True)) as port:
        client = ProviderClient(timeout_seconds=300)
        with pytest.raises(Unavailable, match="ClientPayloadError"):
            await client.ask("GET", f"http://127.0.0.1:{port}/", {})
        await client.close()


async def test_scheduled_questions_that_hang_leave_places_for_others() -> None:
    """Also of what was put off until later the organisation holds no more than its share of the worker."""
    settings: dict[str, Any] = {"header_secret": "s3cret-of-Remita", "merchant_id": "1", "api_key": "k"}
    async with Provider() as silent:
        remita = {**settings, "base_url": silent.url}
        async with running_app(remita=remita, worker_concurrency=4, command_packages=("tests.router.probes",)) as app:
            shares: FairSlots = app.app.components.foundation.shares
            notified = [{"rrr": f"{n:012}", "amount": "1"} for n in range(40)]
            header = {"x-remita-secret": settings["header_secret"]}
            assert (await app.http.post("/api/webhooks/remita", json=notified, headers=header)).status_code == 200
            await until(lambda: _count(silent), lambda asked: asked > 0)
            with shares.place(2):
                pass
            assert len(silent.asked) <= 2
            await app.rule("quick", commandName="PingQuery")
            await app.hook("quick", {})
            await until(lambda: app.requests(configKey="quick", state="done"), bool)


def packed(content: bytes) -> bytes:
    return cast("bytes", brotli.compress(content))


async def _count(provider: Provider) -> int:
    return len(provider.asked)
