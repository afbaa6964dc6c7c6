"""A client of a running server: signs in, sends messages, calls any other address.

It stands on an `httpx.AsyncClient`, whose transport is a socket or, in tests, the application itself:

    async with httpx.AsyncClient(base_url="http://127.0.0.1:8000") as http:
        client = BusClient(http)
        await client.sign_in("admin", "…")
        order = await client.cmd("PlaceOrderCommand", reference="A-1", customer="ada@example.com", lines=[…])
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import httpx

from bpm.exact_json import read_json, write_json

COMMAND_PATH = "/api/bpm/cmd"
FEED_PATH = "/api/bpm/feed"
SILENT_SECONDS = 60.0
"""A feed from which nothing came for so long is broken: the server tells every few seconds that it is there."""
TOKEN_PATH = "/api/auth/token"  # noqa: S105 an address


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; `body` is the parsed JSON, or text where the answer is none."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def ok(self) -> bool:
        """Whether the request succeeded."""
        return self.status < 400

    @property
    def data(self) -> Any:
        """The envelope's `data`, or None."""
        return self._of_envelope("data")

    @property
    def message(self) -> str:
        """The envelope's `message`, or the text that came instead of an envelope."""
        return self._of_envelope("message") or str(self.body)

    @property
    def errors(self) -> list[str]:
        """The envelope's `errors`."""
        return self._of_envelope("errors") or []

    def _of_envelope(self, name: str) -> Any:
        return cast("dict[str, Any]", self.body).get(name) if isinstance(self.body, dict) else None


class ServerRefused(Exception):
    """The server did not do what it was asked; `reply` has its words."""

    def __init__(self, what: str, reply: Reply) -> None:
        """Say what was asked and what was answered."""
        super().__init__("; ".join([f"{what}: {reply.status} {reply.message}", *reply.errors]))
        self.reply = reply


class BusClient:
    """Speaks to one server, as nobody or, with a token or after `sign_in`, as somebody."""

    exact_numbers = False
    """Whether numbers in answers are `bpm.number.Number`, with all their digits, rather than floats."""

    def __init__(self, http: httpx.AsyncClient, token: str | None = None) -> None:
        """Take an HTTP client that knows the server's address (it stays at `http`), and an access token or API key."""
        self.http = http
        self.token = token

    async def sign_in(self, username: str, password: str) -> None:
        """Fetch an access token and use it from now on; raises `ServerRefused`."""
        reply = await self.request("POST", TOKEN_PATH, {"username": username, "password": password})
        token = cast("dict[str, Any]", reply.body).get("access_token") if isinstance(reply.body, dict) else None
        if not reply.ok or token is None:
            raise ServerRefused("sign in", reply)
        self.token = token

    async def send(self, name: str, fields: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Reply:
        """Send a command or query and return the answer, whatever it is; no field can make it another message."""
        given = {**self._identity(), **(headers or {})}
        return await self.request("POST", COMMAND_PATH, {**fields, "$type": name}, given)

    async def cmd(self, name: str, /, **fields: Any) -> Any:
        """Send a command or query and return its data; raises `ServerRefused`."""
        reply = await self.send(name, fields)
        if not reply.ok:
            raise ServerRefused(name, reply)
        return reply.data

    async def listen(self, name: str, /, **fields: Any) -> AsyncIterator[Reply]:
        """Yield the answer to a query, and again whenever it changes, until the server ends that.

        Raises `ServerRefused`, and what `httpx` raises for a connection that breaks.
        """
        body = {"queries": [{**fields, "$type": name}]}
        timeout = httpx.Timeout(SILENT_SECONDS)
        headers = _typed(body, self._identity())
        feed = self.http.stream("POST", FEED_PATH, content=write_json(body), headers=headers, timeout=timeout)
        async with feed as answer:
            if answer.status_code != 200:
                await answer.aread()
                found = _read(answer, exact_numbers=self.exact_numbers)
                raise ServerRefused(f"listen to {name}", Reply(answer.status_code, found, answer.headers))
            event = ""
            async for line in answer.aiter_lines():
                label, _, text = line.partition(": ")
                event = text if label == "event" else event
                if label == "data" and event == "answer":
                    told: Any = read_json(text)
                    yield Reply(answer.status_code, told["answer"])

    def _identity(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token}"} if self.token else {}

    async def request(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """Call any address without a token; `body` is sent as JSON, bytes as they are."""
        content = body if body is None or isinstance(body, bytes) else write_json(body)
        answer = await self.http.request(method, path, content=content, headers=_typed(body, headers))
        return Reply(answer.status_code, _read(answer, exact_numbers=self.exact_numbers), answer.headers)


def _typed(body: object, headers: Mapping[str, str] | None) -> dict[str, str]:
    given = {name.lower(): value for name, value in (headers or {}).items()}
    return given if body is None else {"content-type": "application/json", **given}


def _read(answer: httpx.Response, *, exact_numbers: bool) -> Any:
    if "json" not in answer.headers.get("content-type", ""):
        return answer.text
    try:
        return read_json(answer.content) if exact_numbers else answer.json()
    except ValueError:
        return answer.text
