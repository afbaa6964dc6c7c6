"""What a client's connection may cost before anybody knows who it is: heads, bodies, time, and how many there are."""

from bpm.web.connections.admission import Connections
from bpm.web.connections.connection import HttpConnection, ServerConfig
from bpm.web.connections.handshake import Handshake, Handshakes

__all__ = ["Connections", "Handshake", "Handshakes", "HttpConnection", "ServerConfig"]
