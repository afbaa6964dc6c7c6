"""Whose certificates are believed when the product calls somebody."""

import ssl


def client_context() -> ssl.SSLContext:
    """Return a context that believes the system's authorities, alike on every version of Python.

    From 3.13 on Python also refuses certificates without fields that RFC 5280 asks of authorities. Receivers behind a
    company's own authority often lack them, and an upgrade of Python must not stop their deliveries.
    """
    context = ssl.create_default_context()
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context
