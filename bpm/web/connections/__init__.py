"""What a client's connection may cost before anybody knows who it is: heads, bodies, time, and how many there are."""

from bpm.web.connections.admission import Connections
from bpm.web.connections.connection import HttpConnection, ServerConfig

__all__ = ["Connections", "HttpConnection", "ServerConfig"]
