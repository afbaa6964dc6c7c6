"""A provider of OpenID Connect that is none of ours: npm's `oidc-provider`, certified by the OpenID Foundation."""

import asyncio
import json
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
from joserfc import jwk

from bpm.testing.process import free_port
from bpm.web.console import build_hook
from tests.identity_provider import CLIENT_ID, CLIENT_SECRET, DISCOVERY, new_key

PROGRAM = Path(__file__).with_suffix(".mjs")
START_SECONDS = 120


def key_pairs(*keys: Any) -> dict[str, Any]:
    """Return keys, private parts included, as the provider takes them; it signs with the first that fits a client."""
    return {"keys": [key.as_dict(private=True) for key in keys]}


def other_keys() -> tuple[Any, ...]:
    """Return keys for the algorithms beside RS256."""
    elliptic = jwk.ECKey.generate_key("P-256", {"kid": "ec", "use": "sig"})
    edwards = jwk.OKPKey.generate_key("Ed25519", {"kid": "ed", "use": "sig"})
    return elliptic, edwards, jwk.RSAKey.generate_key(2048, {"kid": "ps", "use": "sig", "alg": "PS256"})


class CertifiedProvider:
    """Runs the provider in a process of its own; whoever has an account signs in there with any password.

    `clients` change what is said of each client, by its id; `accounts` are claims by subject, and may be changed while
    it runs: `tell` writes them down.
    """

    def __init__(
        self, redirect_uri: str, clients: dict[str, dict[str, Any]] | None = None, **configuration: Any
    ) -> None:
        self._port = free_port()
        self._folder = tempfile.TemporaryDirectory(prefix="bpm-provider-")
        self._process: asyncio.subprocess.Process | None = None
        self.accounts: dict[str, dict[str, Any]] = {}
        self.configuration: dict[str, Any] = {
            "clients": [_client(name, redirect_uri, said) for name, said in (clients or {CLIENT_ID: {}}).items()],
            "clientAuthMethods": ["client_secret_basic", "client_secret_post", "none"],
            "claims": {"openid": ["sub"], "profile": ["preferred_username"], "groups": ["groups"]},
            "cookies": {"keys": ["for this test alone"]},
            "jwks": key_pairs(new_key("one"), *other_keys()),
            **configuration,
        }

    @property
    def issuer(self) -> str:
        """How the provider calls itself."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def log(self) -> str:
        """What the provider has printed."""
        return (Path(self._folder.name) / "log").read_text(errors="replace")

    def settings(self, **further: Any) -> dict[str, Any]:
        """Return the settings of a server that lets this provider's accounts in."""
        return {
            "issuer": self.issuer,
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "scopes": "openid profile groups",
            "allowed_networks": "127.0.0.0/8",
            "create_users": True,
            **further,
        }

    def tell(self, subject: str, **claims: Any) -> None:
        """Say what the provider knows of somebody from now on."""
        self.accounts[subject] = claims
        self._write()

    async def restart(self, **configuration: Any) -> None:
        """Start it anew with another configuration, whereby it forgets who is signed in."""
        self.configuration |= configuration
        await self._end()
        await self._start()

    async def __aenter__(self) -> Self:
        build_hook.install("oidc-provider")
        await self._start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._end()
        self._folder.cleanup()

    def _write(self) -> None:
        told = {"port": self._port, "configuration": self.configuration, "accounts": self.accounts}
        (Path(self._folder.name) / "settings.json").write_text(json.dumps(told))

    async def _start(self) -> None:
        self._write()
        node = build_hook.node_folder() / "bin" / "node"
        with (Path(self._folder.name) / "log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(node, PROGRAM, Path(self._folder.name) / "settings.json"), cwd=build_hook.APP, stdout=log, stderr=log
            )
        async with asyncio.timeout(START_SECONDS), httpx.AsyncClient(base_url=self.issuer, trust_env=False) as http:
            while not await _is_ready(http):
                assert self._process.returncode is None, self.log
                await asyncio.sleep(0.05)

    async def _end(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


async def _is_ready(http: httpx.AsyncClient) -> bool:
    try:
        return (await http.get(DISCOVERY)).is_success
    except httpx.TransportError:
        return False


def _client(client_id: str, redirect_uri: str, said: dict[str, Any]) -> dict[str, Any]:
    is_public = said.get("token_endpoint_auth_method") == "none"
    secret = {} if is_public else {"client_secret": CLIENT_SECRET}
    return {"client_id": client_id, "redirect_uris": [redirect_uri], **secret, **said}
