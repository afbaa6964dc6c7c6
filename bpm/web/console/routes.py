"""The routes of the console."""

from starlette.routing import BaseRoute, Route

from bpm.accounts import Accounts
from bpm.bus import Bus
from bpm.edge.lifecycle import Lifecycle
from bpm.edge.request import IncomingReader
from bpm.settings import Settings
from bpm.web.auth import AuthEndpoint
from bpm.web.console.commands import ConsoleCommandEndpoint
from bpm.web.console.session import SessionAddress


def console_routes(bus: Bus, accounts: Accounts, settings: Settings, lifecycle: Lifecycle) -> list[BaseRoute]:
    """Return what the console's page talks to."""
    return [
        Route(
            "/console/api/session", AuthEndpoint(SessionAddress(accounts), IncomingReader(settings), "POST", "DELETE")
        ),
        Route("/console/api/cmd", ConsoleCommandEndpoint(bus, accounts, settings, lifecycle)),
    ]
