"""`bpm trigger`: a provider's request, rightly signed, to a running server.

The scheme, the sample and the key are those of `bpm sign`; whoever sends is nobody, as a provider is.
"""

import re
import time
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, cast

import typer

from bpm.cli.connection import Url, as_nobody, fail_refused, server_url
from bpm.cli.exits import ExitStatus, fail
from bpm.cli.fields import read_fields
from bpm.cli.output import FormatOption, OutputFormat, print_json
from bpm.cli.signatures import (
    Body,
    GivenRequest,
    HeaderLines,
    Method,
    More,
    Name,
    PrivateKey,
    Secret,
    read_request,
    signed,
)
from bpm.cli.terminal import say

PREFIX = "/api/webhooks/"
FIXED = {"mono": "mono/callback", "remita": "remita"}
"""Where the providers that need no rule are answered."""
NOT_FOUND = 404
JSON = {"content-type": "application/json"}
_STEP = re.compile(r"[^.\[\]]+|(?<=\[)(?=\])")
"""A step of a preset's path, as in `items[0].name`; `[]` is each element, of which the first is meant."""

To = Annotated[str | None, typer.Option("--to", help="The path or key of the rule; the preset's name unless given.")]
Event = Annotated[str | None, typer.Option(help="The name of the event, put where the provider writes it.")]
Changes = Annotated[list[str] | None, typer.Option("--set", help="A field of the sample, as in data.reference=T-2.")]
SignedUrl = Annotated[str | None, typer.Option(help="The address that the provider knows, where it is signed.")]


def trigger(
    preset: Name,
    more: More = None,
    to: To = None,
    event: Event = None,
    changes: Changes = None,
    secret: Secret = None,
    private_key: PrivateKey = None,
    body: Body = None,
    header: HeaderLines = None,
    method: Method = "POST",
    url: Url = None,
    signed_url: SignedUrl = None,
    output: FormatOption = OutputFormat.AUTO,
) -> None:
    """Send a provider's sample, or a body of your own, to a rule or a fixed endpoint, signed as the provider would.

    The exit status is 4 when it is refused. A sample that was sent before is a repetition: change its id by `--set`.
    """
    server, path = server_url(url).rstrip("/"), PREFIX + (to or FIXED.get(preset, preset)).strip("/")
    address = signed_url or server + path
    given = read_request(preset, more, secret, body, header, address, method, time.time(), None, signing=True)
    given = _named(preset, given, event) if event is not None else given
    fields = read_fields("trigger", changes or [], None).items()
    given = given._replace(body=_changed(given.body, [(path.split("."), value) for path, value in fields]))
    sent = signed(preset, given, private_key)
    target = f"{path}?{sent.query}" if sent.query else path
    headers = {**_described(given), **sent.headers}
    reply = as_nobody(server, lambda client: client.request(method.upper(), target, sent.body, headers))
    if not output.is_text:
        print_json({"status": reply.status, "body": reply.body})
    if reply.status == NOT_FOUND and to is None:
        fail(ExitStatus.REFUSED, f"there is no webhook at {path}", "name the rule by --to")
    if not reply.ok:
        fail_refused(f"{method.upper()} {path}", reply)
    if output.is_text:
        say(f"{method.upper()} {path}: {reply.status}")
        say(str(reply.body))


def _described(given: GivenRequest) -> dict[str, str]:
    """Return the headers of the request without the proof; a body is JSON unless they say otherwise."""
    names = {name.lower() for name in given.headers}
    return {**given.headers} if "content-type" in names else {**JSON, **given.headers}


def _named(preset: str, given: GivenRequest, event: str) -> GivenRequest:
    """Return the request with an event's name where the preset says that the provider writes it."""
    from bpm.signatures import DETAILS

    known = DETAILS.get(preset)
    place, _, path = known.event.partition(":") if known is not None else ("", "", "")
    if place == "header":
        others = {name: value for name, value in given.headers.items() if name.lower() != path}
        return given._replace(headers={**others, path: event})
    if place != "body":
        fail(ExitStatus.USAGE, f"where {preset} writes an event's name is not known; write it with --set or --header")
    return given._replace(body=_changed(given.body, [([step or "0" for step in _STEP.findall(path)], event)]))


def _changed(body: bytes, fields: Iterable[tuple[Sequence[str], Any]]) -> bytes:
    """Return a body of JSON with fields set by the steps that lead to them."""
    fields = list(fields)
    if not fields:
        return body
    from bpm.exact_json import read_json, write_json

    try:
        payload = read_json(body)
    except ValueError:
        fail(ExitStatus.USAGE, "fields are set in bodies of JSON alone; give this one with --body")
    for steps, value in fields:
        _set(payload, steps, value)
    return write_json(payload)


def _set(payload: Any, steps: Sequence[str], value: Any) -> None:
    """Set a field that may lie inside lists, whose elements are named by their numbers."""
    *parents, last = steps
    for step in parents:
        payload = _inside(payload, step)
    if isinstance(payload, list) and last.isdigit() and int(last) < len(cast("list[Any]", payload)):
        payload[int(last)] = value
    elif isinstance(payload, dict):
        payload[last] = value
    else:
        fail(ExitStatus.USAGE, f"--set: there is no field {'.'.join(steps)} in the sample")


def _inside(payload: Any, step: str) -> Any:
    if isinstance(payload, dict):
        return cast("dict[str, Any]", payload).setdefault(step, {})
    found = cast("list[Any]", payload) if isinstance(payload, list) else []
    if not step.isdigit() or int(step) >= len(found):
        fail(ExitStatus.USAGE, f"--set: there is no element {step} in the sample")
    return found[int(step)]
