"""The cookie of a sign-in that is with the provider."""

from urllib.parse import urlsplit

from bpm.settings import Settings
from bpm.web.console.browser_request import BrowserCookie


def pending_cookie(settings: Settings) -> BrowserCookie:
    """Return the cookie, which the browser also sends when the provider leads it back (`Lax`)."""
    is_secure = urlsplit(settings.base_url).scheme == "https"
    return BrowserCookie("__Host-bpm-sign-in" if is_secure else "bpm-sign-in", "Lax")
