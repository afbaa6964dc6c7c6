"""`POST /console/api/session` signs a browser in, `DELETE` signs it out."""

from bpm.accounts import Accounts
from bpm.accounts.browser_sessions import OpenedSession
from bpm.clock import wire_time
from bpm.edge.answer import Answer
from bpm.edge.envelope import success
from bpm.edge.json_object import json_object
from bpm.edge.request import Incoming
from bpm.exact_json import write_json
from bpm.web.auth import MAX_BODY_BYTES, required, texts
from bpm.web.console.browser_request import BrowserCookie, browser_caller, require_own_page


class SessionAddress:
    """Opens and ends the session of the browser that asks."""

    def __init__(self, accounts: Accounts) -> None:
        """Take where sessions are kept."""
        self._browsers = accounts.browsers

    async def __call__(self, request: Incoming) -> Answer:
        """Answer one request; raises `Forbidden` for that of another page."""
        cookie = require_own_page(request)
        return await (self._sign_in if request.method == "POST" else self._sign_out)(request, cookie)

    async def _sign_in(self, request: Incoming, cookie: BrowserCookie) -> Answer:
        former = cookie.read(request)
        raw = await request.body.read(MAX_BODY_BYTES)
        fields = texts(json_object(raw, '{"username": "…", "password": "…"}'), "username", "password")
        username, password = required(fields, "username", "password")
        opened = await self._browsers.sign_in(username, password, former, browser_caller(request))
        return success(_view(opened), "Signed in", cookie.giving(opened.cookie))

    async def _sign_out(self, request: Incoming, cookie: BrowserCookie) -> Answer:
        value = cookie.read(request)
        if value is not None:
            await self._browsers.sign_out(value, browser_caller(request))
        return success(b"null", "Signed out", cookie.taking_back())


def _view(opened: OpenedSession) -> bytes:
    return write_json({"id": opened.id, "username": opened.username, "endsAt": wire_time(opened.ends_at)})
