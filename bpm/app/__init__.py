"""The composition root: settings -> foundation -> components (bus, router, processes, deliveries) -> application."""

from bpm.app.app import App
from bpm.app.components import Components, build_components
from bpm.app.registry import application_packages, build_registry

__all__ = ["App", "Components", "application_packages", "build_components", "build_registry"]
