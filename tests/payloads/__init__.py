"""Requests of providers as they look on the wire, with invented people and numbers."""

from pathlib import Path

FOLDER = Path(__file__).parent


def payload(name: str) -> bytes:
    """Return the body stored under `name`."""
    return (FOLDER / f"{name}.json").read_bytes()
