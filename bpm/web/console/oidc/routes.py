"""The routes of single sign-on."""

from starlette.routing import BaseRoute, Route

from bpm.accounts import Accounts
from bpm.clock import Clock
from bpm.edge.request import IncomingReader
from bpm.security.secrets import SecretBox
from bpm.settings import Settings
from bpm.web.auth import AuthEndpoint
from bpm.web.console.oidc.callback import CallbackEndpoint
from bpm.web.console.oidc.provider import CALLBACK, SignOnProvider
from bpm.web.console.oidc.start import SingleSignOnStart


def oidc_routes(
    settings: Settings, accounts: Accounts, provider: SignOnProvider, box: SecretBox, clock: Clock
) -> list[BaseRoute]:
    """Return where one begins, and where the provider leads the browser back to."""
    start = SingleSignOnStart(settings, provider, box, clock)
    return [
        Route("/console/api/oidc", AuthEndpoint(start, IncomingReader(settings), "GET", "POST")),
        Route(CALLBACK, CallbackEndpoint(settings, accounts, provider, box, clock)),
    ]
