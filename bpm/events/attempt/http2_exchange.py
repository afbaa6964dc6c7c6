"""One request and its answer in HTTP/2, within the limits that hostile receivers are held to."""

import asyncio

import httpx
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import ConnectionTerminated, DataReceived, Event, ResponseReceived, StreamEnded, StreamReset
from h2.settings import SettingCodes, Settings

from bpm.events.attempt.connection import MAX_READ
from bpm.events.attempt_result import ReceiverAnswer

MAX_RECEIVED = 128 * 1024
"""What may arrive for one answer in all: frames that are no answer cost more to read than those of HTTP/1.1."""

PIECE = 4 * 1024
"""How much is read at once, so that others have a turn in between."""

MAX_HEADERS = 64 * 1024
STREAM = 1
"""The first stream that a client opens, and the only one here."""


class Http2Error(Exception):
    """The receiver broke off, or gave an answer that is none; the sentence says which."""


class Http2Exchange:
    """A connection for one request: its frames are h2's, what they mean for a delivery is decided here."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take a connection on which nothing was said yet."""
        self._reader = reader
        self._writer = writer
        self._frames = H2Connection(H2Configuration(validate_inbound_headers=False, header_encoding=None))
        self._frames.local_settings = Settings(
            client=True,
            initial_values={SettingCodes.ENABLE_PUSH: 0, SettingCodes.MAX_HEADER_LIST_SIZE: MAX_HEADERS},
        )
        self._unsent = memoryview(b"")
        self._received = 0
        self._is_over = False

    async def run(self, request: httpx.Request, answer: ReceiverAnswer, body_seconds: float) -> None:
        """Send the request and read its answer; raises `Http2Error` and h2's errors."""
        self._frames.initiate_connection()
        self._frames.send_headers(STREAM, _head(request), end_stream=not request.content)
        self._unsent = memoryview(request.content)
        while answer.status is None:
            await self._turn(answer)
        async with asyncio.timeout(body_seconds):
            while not self._is_over:
                await self._turn(answer)

    async def _turn(self, answer: ReceiverAnswer) -> None:
        """Send what may be sent, and take what has come."""
        self._send_body()
        self._writer.write(self._frames.data_to_send())
        await self._writer.drain()
        await asyncio.sleep(0)  # bytes that have come already are read without a pause
        piece = await self._reader.read(PIECE)
        if not piece:
            raise Http2Error("the receiver closed the connection without an answer")
        self._received += len(piece)
        if self._received > MAX_RECEIVED:
            raise Http2Error(f"the answer broke off (more than {MAX_RECEIVED} bytes)")
        for event in self._frames.receive_data(piece):
            self._take(event, answer)

    def _send_body(self) -> None:
        """Send as much of the body as the receiver has room for."""
        while self._unsent and not self._is_over:
            room = min(self._frames.local_flow_control_window(STREAM), self._frames.max_outbound_frame_size)
            if room <= 0:
                return
            piece, self._unsent = self._unsent[:room], self._unsent[room:]
            self._frames.send_data(STREAM, bytes(piece), end_stream=not self._unsent)

    def _take(self, event: Event, answer: ReceiverAnswer) -> None:
        if isinstance(event, ResponseReceived):
            fields = [(bytes(name), bytes(value)) for name, value in event.headers]
            answer.begin(_status(dict(fields).get(b":status", b"")), [one for one in fields if one[0][:1] != b":"])
        elif isinstance(event, DataReceived):
            answer.add(event.data)
            self._frames.acknowledge_received_data(event.flow_controlled_length, STREAM)
            self._is_over = self._is_over or answer.length >= MAX_READ
        elif isinstance(event, StreamEnded):
            self._is_over = True
        elif isinstance(event, StreamReset):
            self._break_off(answer, f"the receiver refused the request (HTTP/2 error {int(event.error_code)})")
        elif isinstance(event, ConnectionTerminated):
            self._break_off(answer, f"the receiver ended the connection (HTTP/2 error {int(event.error_code or 0)})")

    def _break_off(self, answer: ReceiverAnswer, sentence: str) -> None:
        """End, with an error unless the status is known."""
        if answer.status is None:
            raise Http2Error(sentence)
        self._is_over = True


def _head(request: httpx.Request) -> list[tuple[bytes, bytes]]:
    """Return the headers as HTTP/2 has them: small, the host among those of the request line."""
    url = request.url
    return [
        (b":method", request.method.encode()),
        (b":authority", request.headers["host"].encode()),
        (b":scheme", url.raw_scheme),
        (b":path", url.raw_path),
        *((name.lower(), value) for name, value in request.headers.raw if name.lower() != b"host"),
    ]


def _status(text: bytes) -> int:
    """Read a status; an answer without one, which HTTP/2 does not allow, is none."""
    if len(text) != len(b"200") or not text.isdigit():
        raise Http2Error("the answer is not HTTP/2 (it has no status)")
    return int(text)
