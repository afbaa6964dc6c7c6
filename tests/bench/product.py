"""A running `bpm serve` and a client that speaks to it as any other client would."""

import sys
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from bpm.testing.process import free_port
from tests.bench.payload import BODY, SECRET, SIGNATURE_HEADER, sign
from tests.bench.servers import Server, ServerError, running

BPM = str(Path(sys.executable).with_name("bpm"))
COMMAND = "PublishEventCommand"
EVENT = "bench.done"
HEADERS = {"Content-Type": "application/json", SIGNATURE_HEADER: sign(BODY)}
ADMIN = {"username": "admin", "password": "Correct-horse-battery-9"}
RULE = {
    "description": "Benchmark",
    "isEnabled": True,
    "action": "POST",
    "executionType": 0,
    "commandName": COMMAND,
    "parameters": {"event": EVENT, "data": {"order": "{{payload.order.id}}"}},
    "signature": {"scheme": "github", "secret": SECRET},
}


@contextmanager
def running_product(folder: Path, *options: str, **environment: str) -> Generator["Product"]:
    """Run `bpm serve` on a folder of its own, with the signed rules `bench` (async) and `bench-sync`."""
    port = free_port()
    env = {"BPM_HOST": "127.0.0.1", "BPM_PORT": str(port), "BPM_DATA_DIR": str(folder), **environment}
    env |= {"BPM_ADMIN_USERNAME": ADMIN["username"], "BPM_ADMIN_PASSWORD": ADMIN["password"]}
    with (
        running([BPM, "serve", *options], port, "/readyz", folder, env) as server,
        httpx.Client(base_url=server.url, timeout=30) as http,
    ):
        product = Product(server, http)
        product.add_rule("bench")
        product.add_rule("bench-sync", responseMode="sync")
        yield product


class Product:
    """A client of one server, signed in as its administrator."""

    def __init__(self, server: Server, http: httpx.Client) -> None:
        self.server = server
        self._http = http
        self._token, self._renew_at = "", 0.0

    def authorization(self) -> dict[str, str]:
        """The header of a token that is good for half its life yet."""
        if time.monotonic() >= self._renew_at:
            answer = self._http.post("/api/auth/token", json=ADMIN).raise_for_status().json()
            self._token = answer["access_token"]
            self._renew_at = time.monotonic() + answer["expires_in"] / 2
        return {"Authorization": f"Bearer {self._token}"}

    def send(self, type_: str, **fields: Any) -> Any:
        """Send a message on the bus and return its data."""
        message = {"$type": type_, **fields}
        answer = self._http.post("/api/bpm/cmd", json=message, headers=self.authorization())
        if not answer.is_success:
            raise ServerError(f"{type_}: {answer.status_code} {answer.text[:300]}")
        return answer.json()["data"]

    def add_rule(self, key: str, **over: Any) -> Any:
        """Create a rule at `/api/webhooks/<key>` that runs the benchmark's command."""
        return self.send("CreateWebHookConfigCommand", key=key, path=key, **{**RULE, **over})

    def add_idle_rules(self, count: int) -> None:
        """Create rules that nobody calls."""
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(self.add_rule, (f"idle-{number}" for number in range(count))))

    def post(self) -> None:
        """Send one signed request to the rule `bench`."""
        self._http.post("/api/webhooks/bench", content=BODY, headers=HEADERS).raise_for_status()

    def newest(self, count: int) -> list[dict[str, Any]]:
        """The inbound requests that came last, at most 200."""
        return self.send("GetInboundRequestListQuery", pageSize=count)["items"]

    def done(self) -> int:
        """How many inbound requests have been executed."""
        return self.send("GetInboundRequestListQuery", state="done", pageSize=1)["totalCount"]

    def wait_until_done(self, count: int, patience: float = 10) -> int:
        """Wait until so many requests have been executed, or no more are; return how many were."""
        done, changed = self.done(), time.monotonic()
        while done < count and time.monotonic() - changed < patience:
            time.sleep(0.1)
            previous, done = done, self.done()
            changed = changed if done == previous else time.monotonic()
        return done
