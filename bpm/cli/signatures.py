"""`bpm sign`, `bpm verify` and `bpm explain`: signatures of a preset, without a server.

What is not given is taken from the preset's example, so that `bpm sign stripe` shows how a signed request looks.
"""

import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple
from urllib.parse import urlsplit

import typer

from bpm.cli.exits import ExitStatus, fail
from bpm.cli.fields import read_fields
from bpm.cli.output import FormatOption, OutputFormat, print_json
from bpm.cli.terminal import say

if TYPE_CHECKING:
    from bpm.signatures import PresetExample, RequestAddress, RequestToSend, SignatureConfig, TrustSources

CUSTOM = "custom"
MAX_FILE_BYTES = 16 * 1024 * 1024

Name = Annotated[
    str, typer.Argument(metavar="PRESET", help="As in stripe, or custom with fields; docs/reference/presets.md.")
]
More = Annotated[list[str] | None, typer.Argument(metavar="[NAME=VALUE]...", help="Further fields of `signature`.")]
Secret = Annotated[str | None, typer.Option(help="The secret or public key; env:NAME and file:PATH name where it is.")]
PrivateKey = Annotated[Path | None, typer.Option(help="The private key in PEM, where a provider has one of its own.")]
Body = Annotated[Path | None, typer.Option("--body", "-b", help="A file with the body; `-` reads it.")]
HeaderLines = Annotated[list[str] | None, typer.Option("--header", "-H", help="As in 'Name: value'; may be repeated.")]
Address = Annotated[str | None, typer.Option("--url", help="The address to which the request was sent.")]
Method = Annotated[str, typer.Option(help="Its method.")]
At = Annotated[
    float | None, typer.Option("--at", help="When it was sent or came, in seconds since 1970; now unless given.")
]
PublishedFile = Annotated[Path | None, typer.Option("--published", help="The certificate or JWKS that is published.")]


class GivenRequest(NamedTuple):
    """What the options say, with the example's part of it."""

    config: "SignatureConfig"
    body: bytes
    headers: dict[str, str]
    address: "RequestAddress"
    now: float
    trust: "TrustSources"


def sign(
    preset: Name,
    more: More = None,
    secret: Secret = None,
    private_key: PrivateKey = None,
    body: Body = None,
    header: HeaderLines = None,
    url: Address = None,
    method: Method = "POST",
    at: At = None,
    output: FormatOption = OutputFormat.AUTO,
) -> None:
    """Print a request as its provider would sign it: the headers to send, the query and the body."""
    given = read_request(preset, more, secret, body, header, url, method, at or time.time(), None, signing=True)
    sent = signed(preset, given, private_key)
    if not output.is_text:
        print_json(
            {"method": method, "query": sent.query, "headers": sent.headers, "body": sent.body.decode("latin-1")}
        )
        return
    for name, value in sent.headers.items():
        say(f"{name}: {value}")
    if sent.query != given.address.query:
        say(f"?{sent.query}")
    if sent.body != given.body or body is None:
        say(f"\n{sent.body.decode('utf-8', 'replace')}")


def verify(
    preset: Name,
    more: More = None,
    secret: Secret = None,
    body: Body = None,
    header: HeaderLines = None,
    url: Address = None,
    method: Method = "POST",
    at: At = None,
    published: PublishedFile = None,
) -> None:
    """Say whether a request is rightly signed; the exit status is 4 when it is not."""
    from bpm.signatures import compile_signature

    given = read_request(preset, more, secret, body, header, url, method, at, published)
    verifier = compile_signature(given.config, _resolve, given.trust)
    found = verifier.verify(given.body, given.headers, given.now, given.address)
    if not found.ok:
        fail(ExitStatus.REFUSED, found.cause)
    say("the signature is right")


def explain(
    preset: Name,
    more: More = None,
    secret: Secret = None,
    body: Body = None,
    header: HeaderLines = None,
    url: Address = None,
    method: Method = "POST",
    at: At = None,
    published: PublishedFile = None,
    output: FormatOption = OutputFormat.AUTO,
) -> None:
    """Say which part of a request's signature failed, and what usually causes that; the exit status is 4 then."""
    from bpm.signatures import explain as examine

    given = read_request(preset, more, secret, body, header, url, method, at, published)
    found = examine(given.config, given.body, given.headers, given.now, _resolve, given.address, given.trust)
    if output.is_text:
        say(f"{found.failed}: {found.cause}" if not found.ok else "the signature is right")
        for hint in found.hints:
            say(f"  - {hint}")
    else:
        print_json(found)
    if not found.ok:
        raise typer.Exit(ExitStatus.REFUSED)


def signed(preset: str, given: GivenRequest, private_key: Path | None) -> "RequestToSend":
    """Return the request with what its provider would add to prove it; the example's own key stands in."""
    from bpm.signatures import SignedRequest, sign_request

    example = _example(preset)
    key = _text_of(private_key) if private_key else example.private_key if example else ""
    request = SignedRequest(given.body, given.headers, given.address)
    try:
        return sign_request(given.config, request, given.now, "", _resolve, key)
    except ValueError as error:
        fail(ExitStatus.ERROR, str(error))


def _example(name: str) -> "PresetExample | None":
    """Return a preset's example; `custom`, whose scheme is given field by field, has none."""
    from bpm.signatures import DETAILS
    from bpm.spelling import nearest

    if name == CUSTOM:
        return None
    if name not in DETAILS:
        near = "".join(f"; do you mean {each}?" for each in nearest(name, DETAILS))
        fail(ExitStatus.USAGE, f"there is no preset {name!r}{near}")
    return DETAILS[name].example


def read_request(
    name: str,
    more: list[str] | None,
    secret: str | None,
    body: Path | None,
    lines: list[str] | None,
    url: str | None,
    method: str,
    at: float | None,
    published: Path | None,
    *,
    signing: bool = False,
) -> GivenRequest:
    """Return what the options say; the example stands in only when neither body nor headers are given."""
    from bpm.signatures import RequestAddress, TrustSources

    example = _example(name)
    is_own = body is not None or lines is not None or example is None
    shown = None if is_own else example
    fields: dict[str, Any] = dict(example.more) if example is not None else {}
    fields |= read_fields("SignatureConfig", more or [], None)
    config = _config(name, secret if secret is not None else (example.secret if example else None), fields)
    headers = {} if shown is None else {header.lower(): value for header, value in shown.headers.items()}
    if signing and shown is not None:
        proving = config.to_scheme().proving_headers
        headers = {header: value for header, value in headers.items() if header not in proving}
    headers |= dict(map(_header, lines or ()))
    address = RequestAddress(method.upper()) if shown is None else _address_of(shown)
    if url is not None:
        parts = urlsplit(url)
        address = RequestAddress(method.upper(), parts.path or "/", parts.query, f"{parts.scheme}://{parts.netloc}")
    now = at if at is not None else (shown.now if shown is not None else time.time())
    content = _bytes_of(body) if body is not None else (shown.body.encode() if shown is not None else b"")
    texts = dict(example.published) if example is not None else {}
    stands = _text_of(published) if published is not None else None
    return GivenRequest(config, content, headers, address, now, TrustSources(_Texts(texts, stands), "client-cert"))


class _Texts:
    """Knows what is published from a file, or from a preset's example."""

    def __init__(self, texts: dict[str, str], given: str | None) -> None:
        self._texts = texts
        self._given = given

    def __call__(self, url: str, is_outdated: bool = False, _is_sent: bool = False, /) -> str:
        """Return what stands at an address."""
        from bpm.signatures import no_lookup

        return self._given or self._texts.get(url) or no_lookup(url, is_outdated)


def _config(name: str, secret: str | None, fields: dict[str, Any]) -> "SignatureConfig":
    from pydantic import ValidationError

    from bpm.signatures import SignatureConfig

    given = {"scheme": name, **({"secret": secret} if secret else {}), **fields}
    try:
        return SignatureConfig.model_validate(given)
    except ValidationError as error:
        fail(ExitStatus.USAGE, *(_sentence(each["loc"], each["msg"]) for each in error.errors()))


def _sentence(place: Iterable[int | str], said: str) -> str:
    """Say what is wrong with a field, without the words in which pydantic wraps ours."""
    return f"{'.'.join(map(str, place))}: {said.removeprefix('Value error, ')}".lstrip(": ")


def _address_of(example: Any) -> "RequestAddress":
    from bpm.signatures import RequestAddress

    return RequestAddress(example.method, example.path, example.query, example.base)


def _header(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon or not name.strip():
        fail(ExitStatus.USAGE, f"{line!r} is not a header; write 'Name: value'")
    return name.strip().lower(), value.strip().encode().decode("latin-1")


def _bytes_of(file: Path) -> bytes:
    try:
        if str(file) == "-":
            return sys.stdin.buffer.read(MAX_FILE_BYTES)
        return file.read_bytes()
    except OSError as error:
        fail(ExitStatus.USAGE, f"{file} can't be read: {error.strerror}")


def _text_of(file: Path) -> str:
    try:
        return _bytes_of(file).decode()
    except UnicodeDecodeError:
        fail(ExitStatus.USAGE, f"{file} is no text in UTF-8; give it in PEM or JSON")


def _resolve(secret: str) -> str:
    """Return the secret that a reference names: whoever types it may read their own variables and files."""
    import os

    kind, _, name = secret.partition(":")
    if kind == "env":
        if name not in os.environ:
            raise ValueError(f"the environment variable {name!r} is not set")
        return os.environ[name]
    return _text_of(Path(name)).rstrip("\r\n") if kind == "file" else secret
