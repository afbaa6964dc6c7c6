"""The REST interfaces of other products, each a thin face over the same commands: one file an interface.

A subscription belongs to the interface it was made through, and is found through that alone (and on the bus).
"""

from functools import cache

from starlette.routing import Route

from bpm.bus import Bus
from bpm.edge.lifecycle import Lifecycle
from bpm.edge.request import Authenticator, IncomingReader
from bpm.settings import Settings
from bpm.web.dialects import donutwork, mokapen, plandocket
from bpm.web.dialects.description import Description
from bpm.web.dialects.endpoint import Parts, routes_of
from bpm.web.dialects.mokapen import is_numbered
from bpm.web.dialects.throttle import Throttle

__all__ = ["describe_dialects", "dialect_routes", "is_numbered"]

DIALECTS = (mokapen.DIALECT, plandocket.DIALECT, donutwork.DIALECT)


@cache
def describe_dialects() -> Description:
    """Return what the OpenAPI document says of all interfaces; it is made when somebody asks for it."""
    return Description(DIALECTS)


def dialect_routes(bus: Bus, accounts: Authenticator, settings: Settings, lifecycle: Lifecycle) -> list[Route]:
    """Return the routes of all interfaces."""
    parts = Parts(
        bus=bus,
        accounts=accounts,
        lifecycle=lifecycle,
        throttle=Throttle(settings.dialects.requests_per_minute),
        incoming=IncomingReader(settings),
    )
    return [route for dialect in DIALECTS for route in routes_of(dialect, parts)]
