"""A sign of life, through the whole bus."""

from bpm.bus import Context, Moment, Query, View, handles


class PongView(View):
    """A sign of life: `time` is the server's, `principal` the name under which the caller is known."""

    pong: bool
    """That it lives."""
    time: Moment
    """The server's time."""
    principal: str
    """The name under which you are known."""


class PingQuery(Query[PongView]):
    """Ask for a sign of life, through the whole bus down to the database."""

    permission = None
    succeeded = "Pong"


@handles
def ping(query: PingQuery, context: Context) -> PongView:
    """Answer."""
    return PongView(pong=True, time=context.now(), principal=context.principal.name)
