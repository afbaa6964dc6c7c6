"""What went wrong with a request, in a sentence for whoever looks after the receiver."""

import socket
from ssl import SSLCertVerificationError, SSLError

import aiohttp
from h2.exceptions import H2Error

from bpm.events.attempt.http2_exchange import Http2Error
from bpm.security.net_targets import TargetError

MAX_DETAIL = 200

CAUSES: tuple[tuple[type[BaseException], str], ...] = (
    (aiohttp.ClientConnectorCertificateError, "the certificate of the receiver is not valid"),
    (aiohttp.ClientConnectorSSLError, "the receiver does not speak TLS as it must"),
    (aiohttp.ClientConnectorDNSError, "the host of the URL can't be found"),
    (SSLCertVerificationError, "the certificate of the receiver is not valid"),
    (SSLError, "the receiver does not speak TLS as it must"),
    (socket.gaierror, "the host of the URL can't be found"),
    (UnicodeError, "the host of the URL is not a domain name"),
    (aiohttp.ClientConnectorError, "no connection to the receiver"),
    (aiohttp.ServerDisconnectedError, "the receiver closed the connection without an answer"),
    (ConnectionResetError, "the receiver reset the connection"),
    (aiohttp.ClientOSError, "the connection to the receiver broke"),
    (aiohttp.ClientPayloadError, "the answer broke off"),
    (aiohttp.ClientResponseError, "the answer is not HTTP/1.1"),
    (H2Error, "the answer is not HTTP/2"),
    (OSError, "no connection to the receiver"),
)


def sentence(error: BaseException) -> str:
    """Say what went wrong; a refused address is often the cause of another error."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, TargetError):
            return f"url: {seen}"
        if isinstance(seen, Http2Error):
            return str(seen)
        for kind, words in CAUSES:
            if isinstance(seen, kind):
                return f"{words} ({_detail(seen)})"
        seen = seen.__cause__ or seen.__context__
    return f"{type(error).__name__} while sending"


def _detail(error: BaseException) -> str:
    """Return what the library says, without the URL, which may hold a token of the receiver's."""
    words = " ".join(_message_of(error).replace("\0", "").split()) or type(error).__name__
    return words.encode(errors="replace").decode()[:MAX_DETAIL]


def _message_of(error: BaseException) -> str:
    if isinstance(error, aiohttp.ClientResponseError):
        return str(error.message)
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return _message_of(error.certificate_error)
    if isinstance(error, SSLCertVerificationError):
        return error.verify_message
    return str(error)
