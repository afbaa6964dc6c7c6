"""The composition root: settings -> foundation -> bus -> router, processes and deliveries -> ASGI application."""

from bpm.app.app import App
from bpm.app.registry import application_packages, build_registry

__all__ = ["App", "application_packages", "build_registry"]
