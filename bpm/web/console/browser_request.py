"""What a request of the console's own page looks like, and which cookie it may carry.

A browser tells in `Sec-Fetch-Site` which page sent a request, and no page can make it say something else; nothing
but our own page is `same-origin`. It tells in `Origin` under which address the person sees the page, which a proxy
may have changed for us.
"""

from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from bpm.accounts.browser_sessions import BrowserCaller
from bpm.edge.request import Incoming
from bpm.errors import Forbidden, Malformed

SECURE = "__Host-bpm-session"
"""Over https: a browser takes a cookie of this name from no other host and over no other protocol."""
LOCAL = "bpm-session"
"""Over http on the same machine, where not every browser takes a cookie that is `Secure`."""

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class BrowserCookie:
    """A cookie of the console at the address where the browser is; one called `__Host-…` is for https."""

    name: str
    same_site: Literal["Strict", "Lax"] = "Strict"

    @property
    def _attributes(self) -> str:
        return f"Path=/; HttpOnly; SameSite={self.same_site}" + ("; Secure" if self.name.startswith("__Host-") else "")

    def read(self, request: Incoming) -> str | None:
        """Return the cookie's value; raises `Malformed` when it stands twice, because one of them is not ours."""
        pairs = (pair.strip().partition("=") for pair in request.headers.get("cookie", "").split(";"))
        values = [value for name, _, value in pairs if name == self.name]
        if len(values) > 1:
            raise Malformed(f"Cookie: {self.name} must stand once in a request, not {len(values)} times")
        return values[0] if values else None

    def giving(self, value: str, seconds: int | None = None) -> tuple[str, str]:
        """Return the header that gives it to the browser, for so many seconds or until it is closed."""
        lifetime = f"Max-Age={seconds}; " if seconds is not None else ""
        return "set-cookie", f"{self.name}={value}; {lifetime}{self._attributes}"

    def taking_back(self) -> tuple[str, str]:
        """Return the header that removes it."""
        return "set-cookie", f"{self.name}=; Max-Age=0; {self._attributes}"


def require_own_page(request: Incoming) -> BrowserCookie:
    """Return the cookie to look for; raises `Forbidden` unless our own page sent the request.

    Raises `UnsupportedMedia` for a body that is not announced as JSON, which no form can send.
    """
    if request.headers.get("sec-fetch-site") != "same-origin":
        raise Forbidden("Sec-Fetch-Site: must be same-origin; only the console's own page may call this address")
    request.require_json()
    return session_cookie_at(request.headers.get("origin", ""))


def browser_caller(request: Incoming) -> BrowserCaller:
    """Return where a request comes from, as a session remembers it."""
    return BrowserCaller(request.address, request.headers.get("user-agent", ""), request.request_id)


def session_cookie_at(origin: str) -> BrowserCookie:
    """Return the cookie of a session at an address; raises `Forbidden` where a password could be read on its way."""
    try:
        address = urlsplit(origin)
    except ValueError:
        raise Malformed("Origin: can't be read") from None
    if address.scheme == "https":
        return BrowserCookie(SECURE)
    if address.scheme == "http" and address.hostname in _LOOPBACK:
        return BrowserCookie(LOCAL)
    raise Forbidden("the console is used over https, or over http at localhost or 127.0.0.1")
