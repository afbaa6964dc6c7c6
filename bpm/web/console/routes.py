"""The routes of the console."""

from starlette.routing import BaseRoute, Route

from bpm.accounts import Accounts
from bpm.bus import Bus
from bpm.edge.lifecycle import Lifecycle
from bpm.edge.request import IncomingReader
from bpm.settings import Settings
from bpm.web.auth import AuthEndpoint
from bpm.web.console.commands import ConsoleCommandEndpoint, ConsoleFeedEndpoint
from bpm.web.console.page import DIST, ConsolePage, lead_to_console
from bpm.web.console.session import SessionAddress
from bpm.web.feed import FeedLimit


def console_routes(
    bus: Bus, accounts: Accounts, settings: Settings, lifecycle: Lifecycle, feed_limit: FeedLimit
) -> list[BaseRoute]:
    """Return the page, what it is made of, and what it talks to."""
    console = ConsolePage(DIST, settings.console)
    session = AuthEndpoint(SessionAddress(accounts), IncomingReader(settings), "POST", "DELETE")
    return [
        Route("/", lead_to_console),
        Route("/console", lead_to_console),
        Route("/console/", console.page),
        Route("/console/assets/{name}", console.asset),
        Route("/console/api/session", session),
        Route("/console/api/cmd", ConsoleCommandEndpoint(bus, accounts, settings, lifecycle)),
        Route("/console/api/feed", ConsoleFeedEndpoint(bus, accounts, settings, lifecycle, feed_limit)),
    ]
