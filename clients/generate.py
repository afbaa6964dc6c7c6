"""Generates the typed parts of the clients from the OpenAPI document.

`python -m clients.generate` writes them beside the sources; `make clients` does so with the generators installed. They
are made anew for each version and not kept in git.
"""

import json
import keyword
import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from bpm.app.providers import provider_addresses
from bpm.bus import Registry
from bpm.web.openapi import OpenApi

CLIENTS = Path(__file__).parent
TOOLS = CLIENTS.parent / ".clients"
"""Where `make generators` installs the generators."""
PYTHON = TOOLS / "bin" / "python"
NODE_TOOLS = TOOLS / "node_modules" / ".bin"
LIMIT_SECONDS = 300

BOUNDS = frozenset(
    {
        *("minLength", "maxLength", "pattern", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
        *("minItems", "maxItems", "propertyNames", "examples"),
    }
)
"""Left to the server, whose sentences say what is wrong; a generator makes a class of each bounded text."""

SCHEMAS = "#/components/schemas/"
"""Where a reference leads; one to a file or another address would be followed by the generator."""

MODELS = (
    *("--input-file-type", "jsonschema", "--output-model-type", "pydantic_v2.BaseModel"),
    *("--target-python-version", "3.11", "--use-union-operator", "--use-standard-collections", "--use-annotated"),
    *("--enum-field-as-literal", "all", "--use-one-literal-as-default", "--collapse-root-models"),
    *("--snake-case-field", "--allow-population-by-field-name", "--use-schema-description"),
    *("--use-field-description", "--disable-timestamp", "--formatters", "builtin"),
)
TYPES = ("--default-non-nullable", "false")
"""A field with a default may be left out of a request."""

OPERATIONS = '''"""What can be sent and what it is answered with. Generated from the OpenAPI document."""

from collections.abc import Iterator
from typing import Any, overload

from bpm_bus_client import models

ANSWERS: dict[str, type[Any]] = {{
{answers}
}}


class Operations:
    """Sends each message and returns its own answer."""

    def _call(self, message: Any, answer: type[Any], idempotency_key: str | None) -> Any:
        raise NotImplementedError

    def _rows(self, query: Any) -> Iterator[Any]:
        raise NotImplementedError

{sends}
    def send(self, message: Any, *, idempotency_key: str | None = None) -> Any:
        """Send a command or query and return its answer; raises `ApiError`."""
        return self._call(message, ANSWERS[message.field_type], idempotency_key)

{lists}
    def items(self, query: Any) -> Iterator[Any]:
        """Send a list query for one page after the other, and yield the rows of all; raises `ApiError`."""
        return self._rows(query)
'''
SEND = """    @overload
    def send(self, message: models.{name}, *, idempotency_key: str | None = None) -> models.{name}Answer: ...
"""
LIST = """    @overload
    def items(self, query: models.{name}) -> Iterator[models.{row}]: ...
"""


class NotGenerated(Exception):
    """A generator or a compiler refused, in its own words."""


def run(folder: Path, *command: str | Path, environment: Mapping[str, str] = os.environ) -> str:
    """Run a program in a folder and return what it says; raises `NotGenerated` when it fails."""
    words = [str(word) for word in command]
    done = subprocess.run(  # noqa: S603 our own tools
        words, cwd=folder, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False, env=dict(environment)
    )
    said = done.stdout + done.stderr
    if done.returncode != 0:
        raise NotGenerated(f"{words[0]} {words[1]}: {said[-4000:]}")
    return said


def openapi_document() -> bytes:
    """Return the document of the product, without an application's own messages."""
    product = Registry()
    product.discover("commands")
    return OpenApi(product, "1.2.3", provider_addresses()).json


def generate_python(document: Path, package: Path) -> None:
    """Write `models.py` and `operations.py` of the Python client; raises `NotGenerated`.

    The document may be a stranger's: its names become those of classes, or are refused.
    """
    schemas = json.loads(document.read_bytes())["components"]["schemas"]
    names = [name.removesuffix("Answer") for name in schemas if name.endswith(("CommandAnswer", "QueryAnswer"))]
    needed = _needed(schemas, [*names, *(f"{name}Answer" for name in names)])
    _require_names(needed)
    source = package / "schemas.json"
    source.write_text(json.dumps({"$defs": {name: _unbounded(schemas[name]) for name in sorted(needed)}}))
    run(package, PYTHON, "-m", "datamodel_code_generator", "--input", source, "--output", "models.py", *MODELS)
    source.unlink()
    rows = {name: row for name in names if (row := _row_of(schemas, name))}
    (package / "operations.py").write_text(
        OPERATIONS.format(
            answers="\n".join(f'    "{name}": models.{name}Answer,' for name in names),
            sends="\n".join(SEND.format(name=name) for name in names),
            lists="\n".join(LIST.format(name=name, row=row) for name, row in rows.items()),
        )
    )


def generate_typescript(document: Path, package: Path) -> None:
    """Write `src/schema.ts` of the TypeScript client; raises `NotGenerated`."""
    run(package, NODE_TOOLS / "openapi-typescript", document, "-o", "src/schema.ts", *TYPES)


def _require_names(names: Iterable[str]) -> None:
    """Raise `NotGenerated` for what would be anything else than a name in the source that is written."""
    for name in sorted(names):
        if not name.isidentifier() or keyword.iskeyword(name):
            raise NotGenerated(f"the document has a schema called {name[:100]!r}, which can't be the name of a class")


def _needed(schemas: Mapping[str, Any], names: list[str]) -> set[str]:
    """Return the names of schemas that these need, themselves included."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in schemas:
            raise NotGenerated(f"the document has no schema called {name[:100]!r}, to which it refers")
        if name not in found:
            found.add(name)
            waiting += _referred(schemas[name])
    return found


def _referred(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        fields = cast("dict[str, Any]", schema)
        if isinstance(reference := fields.get("$ref"), str):
            if not reference.startswith(SCHEMAS):
                raise NotGenerated(f"the document refers to {reference[:100]!r}, which is outside it")
            yield reference.removeprefix(SCHEMAS)
        for inside in fields.values():
            yield from _referred(inside)
    elif isinstance(schema, list):
        for inside in cast("list[Any]", schema):
            yield from _referred(inside)


def _unbounded(schema: Any, *, is_names: bool = False) -> Any:
    """Return a schema without bounds, with definitions where JSON Schema has them."""
    if isinstance(schema, list):
        return [_unbounded(item) for item in cast("list[Any]", schema)]
    if not isinstance(schema, dict):
        return schema.replace(SCHEMAS, "#/$defs/") if isinstance(schema, str) else schema
    fields = cast("dict[str, Any]", schema)
    return {
        name: _unbounded(inside, is_names=name == "properties" and not is_names)
        for name, inside in fields.items()
        if is_names or name not in BOUNDS
    }


def _row_of(schemas: Mapping[str, Any], name: str) -> str | None:
    """Return the name of a list query's rows; None for a message that lists nothing in pages."""
    reference = schemas[f"{name}Answer"]["properties"]["data"].get("$ref", "")
    page = schemas.get(reference.rpartition("/")[2], {}).get("properties", {})
    is_list = "hasNextPage" in page and "pageNumber" in schemas[name]["properties"]
    return page["items"]["items"]["$ref"].rpartition("/")[2] if is_list else None


def main() -> None:
    """Write everything that is generated into the folders of the clients."""
    document = TOOLS / "openapi.json"
    document.write_bytes(openapi_document())
    generate_python(document, CLIENTS / "python" / "src" / "bpm_bus_client")
    generate_typescript(document, CLIENTS / "typescript")


if __name__ == "__main__":
    main()
