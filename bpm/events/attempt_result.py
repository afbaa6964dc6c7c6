"""What became of one request for a delivery."""

from dataclasses import dataclass, field, replace

from bpm.security.redaction import REDACTED, redacted, redacted_text
from bpm.security.secret_names import is_secret_header

MAX_KEPT = 4 * 1024
MAX_HEADERS_KEPT = 40
MAX_HEADER_VALUE = 500
RETRY_AFTER = "retry-after"
UNKEPT_HEADERS = frozenset({"set-cookie"})


@dataclass(frozen=True, slots=True)
class AttemptResult:
    """A status, or an error where there was no answer; `made` says whether a request was tried at all.

    After one that `is_final` there is no other, whatever the subscription allows.
    """

    milliseconds: float = 0.0
    status: int | None = None
    error: str | None = None
    headers: dict[str, str] = field(default_factory=dict[str, str])
    body: str | None = None
    made: bool = True
    is_final: bool = False

    @property
    def ok(self) -> bool:
        """Whether the receiver has taken the delivery."""
        return self.status is not None and 200 <= self.status < 300


def unmade(error: str, *, is_final: bool = False) -> AttemptResult:
    """Return an attempt that came to no request, for a reason that is not the receiver's."""
    return AttemptResult(error=error, made=False, is_final=is_final)


def without_secrets(attempt: AttemptResult) -> AttemptResult:
    """Return the attempt as it may be written down: without what the receiver answered that looks like a secret."""
    headers = {name: REDACTED if is_secret_header(name) else redacted(text) for name, text in attempt.headers.items()}
    body, error = (text and redacted_text(text) for text in (attempt.body, attempt.error))
    return replace(attempt, headers=headers, body=body, error=error)


class ReceiverAnswer:
    """What has arrived so far of an answer, as much as is kept; no database takes a zero byte."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.status: int | None = None
        self.headers: dict[str, str] = {}
        self.length = 0
        self._kept = bytearray()

    def begin(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        """Take status and headers."""
        self.status = status
        for raw_name, raw_value in headers:
            name = raw_name.decode("latin-1").lower()
            has_room = len(self.headers) < MAX_HEADERS_KEPT or name == RETRY_AFTER
            if has_room and name not in UNKEPT_HEADERS:
                self.headers[name] = raw_value[:MAX_HEADER_VALUE].decode("latin-1").replace("\0", "")

    def add(self, piece: bytes) -> None:
        """Take a piece of the body; only the beginning is kept."""
        self.length += len(piece)
        if len(self._kept) < MAX_KEPT:
            self._kept += piece[: MAX_KEPT - len(self._kept)]

    def attempt(self, milliseconds: float, error: str | None) -> AttemptResult:
        """Return what the request came to: where there was a status, that counts and no error."""
        if self.status is None:
            return AttemptResult(milliseconds, error=error)
        body = self._kept.decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
        return AttemptResult(milliseconds, self.status, None, self.headers, body)
