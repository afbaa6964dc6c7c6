"""`/console/api/oidc`: `GET` tells the sign-in page how one signs in here, `POST` begins a single sign-on.

Only the console's own page begins one, so no other site signs somebody's browser in.
"""

from urllib.parse import urlsplit

import structlog

from bpm.clock import Clock
from bpm.edge.answer import Answer
from bpm.edge.envelope import success
from bpm.edge.request import Incoming
from bpm.errors import Forbidden, NotFound, Unavailable
from bpm.exact_json import write_json
from bpm.security.secrets import SecretBox
from bpm.settings import Settings
from bpm.web.console.browser_request import require_own_page
from bpm.web.console.oidc.cookie import pending_cookie
from bpm.web.console.oidc.pending import LIFETIME_SECONDS, PendingSignIn
from bpm.web.console.oidc.provider import SignOnProvider

log = structlog.get_logger("bpm.oidc")


class SingleSignOnStart:
    """Sends a browser to the provider."""

    def __init__(self, settings: Settings, provider: SignOnProvider, box: SecretBox, clock: Clock) -> None:
        """Take what seals the browser's cookie, and the clock by which it ends."""
        self._settings = settings
        self._provider = provider
        self._box = box
        self._clock = clock

    async def __call__(self, request: Incoming) -> Answer:
        """Answer one request; raises `Forbidden` for that of another page, `NotFound` where there is no provider."""
        return await self._begin(request) if request.method == "POST" else self._describe()

    def _describe(self) -> Answer:
        oidc = self._settings.oidc
        name = oidc.name if oidc.issuer is not None else None
        ways = {"singleSignOn": name, "passwordsAreForOne": oidc.break_glass_user is not None}
        return success(write_json(ways), "Ways to sign in retrieved successfully")

    async def _begin(self, request: Incoming) -> Answer:
        require_own_page(request)
        if self._settings.oidc.issuer is None:
            raise NotFound("there is no single sign-on here; BPM_OIDC__ISSUER sets it up")
        self._require_same_place(request.headers.get("origin", ""))
        pending = PendingSignIn.begin(self._clock())
        try:
            url = await self._provider.authorization_url(pending)
        except Unavailable as error:
            log.warning("single sign-on failed", reason=str(error))
            raise
        cookie = pending_cookie(self._settings).giving(pending.seal(self._box), LIFETIME_SECONDS)
        return success(write_json({"url": url}), "Go on at the provider", cookie)

    def _require_same_place(self, origin: str) -> None:
        """Raise `Forbidden` where the browser would come back to another address, which its cookie is not sent to."""
        here, there = urlsplit(origin), urlsplit(self._settings.base_url)
        if (here.scheme, here.netloc.lower()) != (there.scheme, there.netloc.lower()):
            raise Forbidden(
                f"single sign-on is used at {self._settings.base_url}/console/, not at {origin}; "
                "BPM_PUBLIC_URL names the address"
            )
