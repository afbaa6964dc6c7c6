"""The console: its page, and the addresses that a signed-in browser talks to."""

from bpm.web.console.routes import console_routes

__all__ = ["console_routes"]
