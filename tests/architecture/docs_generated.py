"""The pages of `docs/reference/` that are made from the code: settings, messages, errors, rights, presets.

`make docs` writes them; test_docs.py compares.
"""

import inspect
import json
import textwrap
import tomllib
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import Enum
from itertools import groupby
from pathlib import Path
from typing import Any, get_args

import bpm.errors
from bpm.app.settings import settings_type
from bpm.bus import PagedQuery, Registry
from bpm.bus.catalogue import Catalogue, Entry, catalogue_of
from bpm.cli.files.schema import file_schema
from bpm.dmn.decision_table import AGGREGATIONS, POLICIES
from bpm.dmn.expressions import READERS
from bpm.dmn.problems import MAX_TESTS
from bpm.dmn.reader import MAX_DECISIONS, MAX_DEPTH, MAX_SPACED
from bpm.edge.problems import headers_of, status_of
from bpm.errors import BpmError, MethodNotAllowed
from bpm.expressions.function_values import MAX_CALLS
from bpm.expressions.functions import FUNCTIONS
from bpm.expressions.functions.parameters import SIGNATURES
from bpm.expressions.kinds import KINDS
from bpm.settings import Group, Settings
from bpm.signatures import DETAILS, Preset, Scheme
from bpm.unattended import WAYS, Way
from bpm.web.fields import Field, fields_of
from tests.architecture.docs_command_line import command_line_sections

DOCS = Path(__file__).parents[2] / "docs"
MADE = "<!-- Made from the code by `make docs`; change it in `tests/architecture/docs_generated.py`. -->"
UNITS = {"_seconds": " s", "_bytes": " bytes"}

Row = Sequence[str]


def settings_page() -> str:
    """Every setting with its variable, type, default and meaning, from `bpm.settings` and the providers."""
    tables = [_table(("variable", "default", "meaning"), _settings(Settings, "BPM_"))]
    for name, field in settings_type().model_fields.items():
        group = field.annotation
        if inspect.isclass(group) and issubclass(group, Group):
            rows = _settings(group, f"BPM_{name.upper()}__")
            tables.append(f"## {name.title()}\n\n{group.__doc__}\n\n{_table(('variable', 'default', 'meaning'), rows)}")
    return _page(
        "Settings",
        "One process reads its settings once, from the environment, when it starts; a value that can't be right stops "
        "it with a sentence that names the variable.",
        "A variable that begins with `BPM_` and is no setting does so, too. The command line reads `BPM_URL`, "
        "`BPM_TOKEN`, `BPM_USERNAME` and `BPM_PASSWORD` besides; `BPM_TEST_…` is left to tests. A Kubernetes service "
        "called `bpm` puts variables such as `BPM_SERVICE_HOST` into every pod: set `enableServiceLinks: false`.",
        "`bpm settings` prints what holds and where it came from, secrets hidden. `bpm init` writes `bpm.env` with "
        "every setting commented out, for `EnvironmentFile=` of systemd, `docker run --env-file`, or a shell "
        "(`set -a; . ./bpm.env; set +a`).",
        *tables,
    )


def rights_page() -> str:
    """Who acts where nobody waits, from `bpm.unattended`."""
    asked = [(way.what, _people(way), way.asked, way.missing) for way in WAYS if way.people]
    fixed = [(way.what, way.limit) for way in WAYS if not way.people]
    return _page(
        "Rights of work that nobody waits for",
        "Rules, processes, timers and scheduled messages work when their makers are long gone. What they may do is "
        "asked **now**, at each message: they may do what every person behind them may do at that moment. Modules: "
        "`bpm/accounts/rights.py`, `bpm/bus/rights.py`, `bpm/process/actors.py`.",
        "## Who acts, with whose rights, asked when",
        _table(("what is done", "who is asked", "when", "when somebody lacks a right"), asked),
        "A person is asked as the account that signed in, a machine as its API key: within the key's scopes, and only "
        "while the key is valid. A key that ended ends what was made with it. Name a service account in `runAs`, or "
        "deploy and save as a person, what shall outlive a key.",
        "Nothing at all is done for an account that is disabled or gone, for a key that was revoked or has expired, or "
        "for an account of the installation that may no longer act for the organisation (`acting:write`). While an "
        "organisation is switched off its jobs rest, and go on when it is switched on.",
        "A change counts at once in the process that made it, and within a second in all others.",
        "## What the product does itself",
        _table(("what is done", "with"), fixed),
        "## What follows from it",
        "- Whoever deploys a version is asked at every step of every instance of it. Your version of somebody else's "
        "process does what you both may do.\n"
        "- An update that keeps the diagram keeps its authors; who made it is asked where the version begins "
        "instances by itself.\n"
        "- A rule, a process or a message that a process makes carries the instance's people on.\n"
        "- A model names the values that it takes: with an output mapping or a result variable of its tasks and "
        "events, or among the properties at the top of a form's schema. For these its authors answer, whoever brings "
        "them. Whoever brings others, in a task, message, signal or callback, answers for what follows.\n"
        "- Rows from before these people were stored keep the permissions of then as a limit; the account that "
        "they name is asked.",
    )


def _people(way: Way) -> str:
    return f"{way.people}; never more than {way.limit}" if way.limit else way.people


def messages_page() -> str:
    """Every command and query with its permission and fields, from the registry."""
    registry = Registry()
    registry.discover("commands")
    catalogue = catalogue_of(registry)
    entries = sorted(catalogue.entries, key=lambda entry: (entry.area, entry.name))
    areas = [(area, list(group)) for area, group in groupby(entries, key=lambda entry: entry.area)]
    index = [f"- **{area}**: " + ", ".join(_link(entry.name) for entry in group) for area, group in areas]
    sections = [
        "\n\n".join([f"## {area}", *(_message(entry, registry, catalogue) for entry in group)]) for area, group in areas
    ]
    return _page(
        "Messages",
        f"The {len(entries)} commands and queries of `POST /api/bpm/cmd`, by the area that their permission names. A "
        "running server shows the same at `/docs/api`, with examples, and as `/openapi.json`; `bpm types` lists them "
        "on the command line. How a message travels stands in [bus.md](../explanation/bus.md).\n\n"
        "*Transactional* handlers and queries run inside one database transaction; *effects* reach outside it.",
        "\n".join(index),
        _paging(registry, catalogue),
        *sections,
    )


def errors_page() -> str:
    """The tree of errors, and the HTTP status of each."""
    tree = textwrap.dedent((bpm.errors.__doc__ or "").split("\n\n")[1])
    rows = [[f"`{kind.__name__}`", *_status_and_headers(kind), _default(kind)] for kind in _errors()]
    example = {
        "success": False,
        "data": None,
        "message": "Validation failed",
        "errors": ["processDefinitionId: is required when executionType is 3"],
    }
    return _page(
        "Errors",
        "Whatever goes wrong is answered in one shape, with the id of the request in `X-Request-Id`. `message` says "
        "what went wrong, each entry of `errors` is one sentence, headed by the field's path where there is one; all "
        "problems of a body are reported at once (of very many the first hundred).",
        f"```json\n{json.dumps(example, indent=2)}\n```",
        "## The tree\n\nHandlers raise these; `bpm.edge.problems` alone knows which status each has. A class that is "
        f"not in its table has the status of its nearest ancestor there.\n\n```text\n{tree}\n```",
        "## Statuses\n\nThe default message stands in when neither the error nor its message's class brings one of its "
        f"own.\n\n{_table(('error', 'status', 'header', 'default message'), rows)}",
        "A 500 says nothing but a fixed sentence and the request's id; the log has the trace.",
    )


def presets_page() -> str:
    """Every signature preset, from the files of `bpm/signatures/preset_files`."""
    rows = [
        (f"[`{name}`](#{name})", preset.title, _proof(preset.scheme), _ids(preset)) for name, preset in DETAILS.items()
    ]
    return _page(
        "Signature presets",
        f'The {len(DETAILS)} providers that are known by name: `"signature": {{"scheme": "stripe", "secret": "…"}}` '
        "in a rule. Any other is described field by field, with the scheme `custom` ([router](router.md#signatures)). "
        "Each is a file in `bpm/signatures/preset_files` with an example that is rightly signed; "
        "`bpm sign`, `bpm verify` and `bpm explain` use the same, and `bpm trigger` sends it to a server.",
        _table(("preset", "provider", "what proves a request", "the id of a delivery"), rows),
        *(_preset(name, preset) for name, preset in DETAILS.items()),
    )


PROOFS = {
    "none": "nothing",
    "static": "the secret itself",
    "hmac": "HMAC",
    "standard": "HMAC",
    "hash": "digest",
    "ed25519": "ed25519 signature",
    "ecdsa": "ECDSA signature",
    "rsa": "RSA signature",
    "rsa-pss": "RSA-PSS signature",
    "jwt": "signed token (JWT)",
    "certificate": "RSA signature by a certificate",
    "mtls": "client certificate",
}


def _proof(scheme: Scheme) -> str:
    kind = PROOFS[scheme.kind]
    if scheme.kind == "none" or (scheme.is_header_agreed and not scheme.header):
        return "nothing; a header may be agreed upon" if scheme.is_header_agreed else kind
    has_hash = scheme.kind in ("hmac", "standard", "hash", "ecdsa", "rsa", "rsa-pss")
    text = f"{kind} {scheme.hash.upper().replace('SHA', 'SHA-', 1).replace('SHA-3-', 'SHA3-')}" if has_hash else kind
    weak = " (weak)" if scheme.is_weak and not scheme.hashes else ""
    return f"{text}{weak} in `{_shown(scheme.signature_place)}`"


def _shown(place: str) -> str:
    return place.removeprefix("header:")


def _ids(preset: Preset) -> str:
    places = ", else ".join(f"`{_shown(place)}`" for place in preset.scheme.deduplication)
    if preset.scheme.event_name:
        return f"{places or 'none'}; with `{_shown(preset.scheme.event_name)}`"
    return places or "none"


def _preset(name: str, preset: Preset) -> str:
    return "\n\n".join([f"### {name}", "\n".join(f"- {fact}" for fact in _facts(preset))])


def _facts(preset: Preset) -> Iterator[str]:
    scheme = preset.scheme
    link = f" ([documentation]({preset.documentation}))" if preset.documentation else ""
    yield f"{preset.title}{link}: {_proof(scheme)}" + (f" after `{scheme.prefix}`" if scheme.prefix else "") + "."
    if scheme.kind not in ("none", "static", "jwt", "mtls"):
        signed = scheme.signed_content.replace("\n", "↵")
        yield f"Signed is `{signed}`, written as {scheme.encoding}" + _key_of(scheme) + "."
    yield from _other_places(scheme)
    if scheme.has_timestamp:
        place = _shown(scheme.timestamp_place) or (scheme.inside or "first") + " in the signature"
        yield f"Time: `{place}`, in {TIMES[scheme.timestamp_format]}, at most {scheme.tolerance_seconds} s off."
    yield f"Id of a delivery: {_ids(preset)}." + (f" Event: `{_shown(preset.event)}`." if preset.event else "")
    if preset.handshake is not None:
        yield f'Handshake: `"handshake": {json.dumps(dict(preset.handshake))}`.'
    if preset.response is not None:
        yield f'Answer: `"response": {json.dumps(dict(preset.response))}`.'
    if preset.note:
        yield preset.note
    if preset.example is not None:
        yield f"Example: {preset.example.source}."
    if sources := dict.fromkeys(vector["source"] for vector in VECTORS.get(scheme.name, [])):
        yield f"Requests that it is tested with: of {', and of '.join(sources)}."


VECTORS: dict[str, list[dict[str, Any]]] = tomllib.loads(Path("tests/bpm/signatures/vectors.toml").read_text())
TIMES = {
    "seconds": "seconds",
    "milliseconds": "milliseconds",
    "microseconds": "microseconds",
    "nanoseconds": "nanoseconds",
    "iso": "ISO 8601",
    "http": "the form of HTTP's dates",
    "unix": "seconds or milliseconds",
}


def _other_places(scheme: Scheme) -> Iterator[str]:
    also = scheme.also
    if also is not None and also.signature_place == scheme.signature_place:
        yield f"Also without `{scheme.prefix}`."
    elif also is not None:
        yield f"Also in `{_shown(also.signature_place)}`."
    places = [f"`{_shown(place)}`" for place in scheme.signature_also_in]
    if places:
        others = f"{places[0]} up to {places[-1]}" if len(places) > 1 else places[0]
        yield f"A signature in {others} counts as well."


def _key_of(scheme: Scheme) -> str:
    keys = {
        "hex": "the key is in hexadecimal digits",
        "base64": "the key is base64",
        "sha1": "the key is the secret's SHA-1",
    }
    whsec = {"whsec": "the key is base64 after `whsec_`"}
    said = (keys | whsec).get(scheme.key_decoding)
    return f"; {said}" if said else ""


def dmn_page() -> str:
    """What of DMN and FEEL is evaluated."""
    boxed = ", ".join(f"`<{name}>`" for name in READERS)
    known = ", ".join(f"`{name}`" for name in KINDS)
    rows = [(f"`{name}{_forms(name)}`", _summary(function.call)) for name, function in sorted(FUNCTIONS.items())]
    return (
        f"# DMN and FEEL\n\n{MADE}\n\n"
        "Files of DMN 1.1 to 1.5 are read alike. What stands here is evaluated; anything else is refused when the file "
        "is deployed, with the id and line of its element. Why it is so: "
        "[decision 27](../decisions/0027-feel-as-the-standard-has-it.md).\n\n"
        f"- **Expressions**: {boxed}; written in FEEL, or in JUEL as Camunda 7 allows it.\n"
        f"- **Hit policies**: {', '.join(POLICIES)}; COLLECT with {', '.join(AGGREGATIONS)}; MIN and "
        "MAX also of dates, times or durations.\n"
        "- **Requirements**: decisions, data, business knowledge models and decision services. A service is deployed "
        "and evaluated like a decision; its inputs are variables by their names.\n"
        f"- **Types**: {known}, `list<>`, `context<>`, `range<>`, `function<>`, and the file's item definitions. "
        "Variables and results are read as the types that are declared: texts of JSON as dates, times, durations, "
        "numbers and truth values. What does not fit fails with a sentence. Values that are allowed "
        "(`allowedValues`) are not checked.\n"
        "- **Refused**: regular expressions (`matches`, `replace`), functions in Java or PMML, imports of other files, "
        "decisions without logic, calls that can never work, attributes and elements that are not known where they "
        "stand, and what stands twice where one alone would be evaluated.\n"
        f"- **Limits**: {MAX_DECISIONS} decisions and services, {MAX_TESTS:,} tests and expressions, {MAX_SPACED} "
        f"names with blanks or marks, {MAX_DEPTH} requirements in a row, {MAX_CALLS} open calls; and the steps of "
        "[what work may cost](costs.md).\n\n"
        "## Functions\nNamed arguments are those in brackets. Some are not FEEL's, and may be used everywhere.\n\n"
        + _table(("function", "what it gives"), rows)
    )


def _forms(name: str) -> str:
    forms = [", ".join(parameter for parameter, _ in form) for form in SIGNATURES.get(name, ())]
    return f"({'; '.join(forms)})" if forms else "()"


def _summary(call: Callable[..., Any]) -> str:
    return (inspect.getdoc(call) or "").partition("\n")[0].replace("|", "\\|")


PAGING = frozenset(field.alias or name for name, field in PagedQuery.model_fields.items())


def command_line_page() -> str:
    """Every command of `bpm`, from the commands themselves."""
    return _page("Command line", *command_line_sections())


def file_schema_text() -> str:
    """The JSON Schema that is shipped beside the template of a folder."""
    return json.dumps(file_schema(), indent=2) + "\n"


PAGES: dict[str, Callable[[], str]] = {
    "reference/settings.md": settings_page,
    "reference/messages.md": messages_page,
    "reference/errors.md": errors_page,
    "reference/rights.md": rights_page,
    "reference/presets.md": presets_page,
    "reference/dmn.md": dmn_page,
    "reference/command-line.md": command_line_page,
    "../bpm/cli/files/template/schema.json": file_schema_text,
}


def write() -> None:
    """Write every page."""
    for name, make in PAGES.items():
        (DOCS / name).write_text(make())


def _settings(model: type[Any], prefix: str) -> Iterator[Row]:
    for name, field in model.model_fields.items():
        if not (inspect.isclass(field.annotation) and issubclass(field.annotation, Group)):
            default = _default_of(name, field.default, get_args(field.annotation))
            yield (f"`{prefix}{name.upper()}`", default, field.description or "")


def _default_of(name: str, default: Any, choices: tuple[Any, ...]) -> str:
    unit = next((unit for ending, unit in UNITS.items() if name.endswith(ending)), "")
    shown = f"`{default}`{unit}" if default not in (None, "", ()) else "unset"
    others = [f"`{choice}`" for choice in choices if isinstance(choice, str) and choice != default]
    return f"{shown} (or {', '.join(others)})" if others else shown


def _message(entry: Entry, registry: Registry, catalogue: Catalogue) -> str:
    message_type = registry.find(entry.name).message_type
    facts = [
        f"Permission `{entry.permission}`" if entry.permission else "For anybody signed in",
        entry.kind if entry.kind == "query" else f"{entry.kind} handler",
        f"answers *{entry.succeeded}*",
    ]
    if message_type.failed != "Operation failed":
        facts.append(f"or *{message_type.failed}*")
    if entry.aliases:
        facts.append("also accepted as " + ", ".join(f"`{alias}`" for alias in entry.aliases))
    is_list = issubclass(message_type, PagedQuery)
    if is_list:
        facts.append("a list, with the fields of [paging](#paging)")
    shared = {"$type", *(PAGING if is_list else ())}
    fields = [field for field in fields_of(entry.request, catalogue.definitions) if field.path not in shared]
    results = fields_of(entry.result, catalogue.definitions)
    parts = [f"### {entry.name}", _prose(entry.description), "; ".join(facts) + ".", _field_table(fields)]
    start = "items[]." if is_list else ""
    names = [field.path.removeprefix(start) for field in results if field.path.startswith(start)]
    shown = [f"`{name}`" for name in dict.fromkeys(names) if "." not in name and "[" not in name]
    if shown:
        parts.append(f"{'Each item' if is_list else 'Result'}: {', '.join(shown)}.")
    return "\n\n".join(part for part in parts if part)


def _paging(registry: Registry, catalogue: Catalogue) -> str:
    a_list = next(e for e in catalogue.entries if issubclass(registry.find(e.name).message_type, PagedQuery))
    fields = [field for field in fields_of(a_list.request, catalogue.definitions) if field.path in PAGING]
    return (
        "## Paging\n\nEvery list query takes these fields beside its own filters; dates bound `createdAt`, and an "
        "order that a list does not have is refused with the names of those it has. The answer is "
        '`{"items": […], "leftOut", "totalCount", "totalIsExact", "pageNumber", "pageSize", "totalPages", '
        '"hasNextPage", "hasPreviousPage"}`. Up to 100,000 rows are counted: where there are more, `totalIsExact` is '
        "false, and the page on which the list ends says how many there are. A page ends early when its rows are "
        "larger than 8 MiB together: `leftOut` says how many others it would have, and the same query with a `skip` "
        "of as many as were shown answers them."
        f"\n\n{_field_table(fields)}"
    )


def _field_table(fields: Iterable[Field]) -> str:
    rows = [
        [f"`{field.path}`", field.type, "yes" if field.required else "", "; ".join([*_described(field), *field.rules])]
        for field in fields
    ]
    return _table(("field", "type", "required", "rule"), rows) if rows else ""


def _described(field: Field) -> Iterator[str]:
    if field.description:
        yield " ".join(field.description.split("\n\n")[0].split()).rstrip(".")


def _prose(text: str) -> str:
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))


def _link(name: str) -> str:
    return f"[{name}](#{name.lower()})"


def _errors(kind: type[BpmError] = BpmError) -> Iterator[type[BpmError]]:
    for below in kind.__subclasses__():
        if below.__module__ == bpm.errors.__name__:
            yield below
            yield from _errors(below)


def _default(kind: type[BpmError]) -> str:
    return inspect.cleandoc(kind.__doc__ or "")


def _status_and_headers(kind: type[BpmError]) -> tuple[str, str]:
    error = MethodNotAllowed("GET", "POST") if kind is MethodNotAllowed else kind("x")
    return str(status_of(error)), ", ".join(f"`{_header(name)}: {value}`" for name, value in headers_of(error))


def _header(name: str) -> str:
    return name.title().replace("Www", "WWW")


def _table(headings: Row, rows: Iterable[Row]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(text: Any) -> str:
    shown = text.value if isinstance(text, Enum) else str(text)
    return shown.replace("|", "\\|").replace("\n", " ")


def _page(title: str, *parts: str) -> str:
    return "\n\n".join([MADE, f"# {title}", *parts]) + "\n"


if __name__ == "__main__":
    write()
