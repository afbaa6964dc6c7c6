"""Whose certificates are believed when the product calls somebody."""

import ssl
from functools import lru_cache
from pathlib import Path


def client_context(*protocols: str) -> ssl.SSLContext:
    """Return a context that believes the system's authorities; its handshake names these protocols (RFC 7301).

    All connections share it until the authorities change: to read them takes 30 ms, in which nobody else is answered,
    and how many connections there are others decide.
    """
    return _context(protocols, _authorities())


@lru_cache(maxsize=16)
def _context(protocols: tuple[str, ...], _authorities: object) -> ssl.SSLContext:
    """Return a context that is alike on every version of Python.

    From 3.13 on Python also refuses certificates without fields that RFC 5280 asks of authorities. Receivers behind a
    company's own authority often lack them, and an upgrade of Python must not stop their deliveries.
    """
    context = ssl.create_default_context()
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if protocols:
        context.set_alpn_protocols(list(protocols))
    return context


def _authorities() -> tuple[tuple[str, int], ...]:
    """Return where the system's authorities are, and when they last changed."""
    paths = ssl.get_default_verify_paths()
    return tuple((place, Path(place).stat().st_mtime_ns) for place in (paths.cafile, paths.capath) if place)
