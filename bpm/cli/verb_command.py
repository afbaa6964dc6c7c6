"""The command of a verb: its arguments and options are read, its message is sent, and the answer is printed."""

import inspect
from collections.abc import Callable, Mapping
from typing import Annotated, Any, cast

import typer

from bpm.cli.connection import Password, ServerConnection, Token, Url, Username
from bpm.cli.output import FormatOption, OutputFormat, print_json, print_page, print_value
from bpm.cli.verbs import GROUPS, VERBS, Verb, Word


def add_verbs(app: typer.Typer, group: str) -> typer.Typer:
    """Give a group of commands its verbs."""
    for verb in VERBS[group]:
        app.command(verb.name, help=verb.help)(make_command(verb))
    return app


def verb_group(group: str) -> typer.Typer:
    """Return a group of commands that are verbs alone."""
    return add_verbs(typer.Typer(help=GROUPS[group], no_args_is_help=True, rich_markup_mode=None), group)


def make_command(verb: Verb) -> Callable[..., None]:
    """Return the function that the command line reads a verb's arguments and options from."""

    def run(**given: Any) -> None:
        known = {name: given.pop(name) for name in CONNECTION}
        _run(
            verb,
            given,
            ServerConnection(*(known[name] for name in ("url", "token", "username", "password"))),
            known["output"],
        )

    parameters = [_parameter(word, is_argument=True) for word in verb.arguments]
    parameters += [_parameter(word, is_argument=False) for word in verb.options]
    parameters += [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        for name, (annotation, default) in CONNECTION.items()
    ]
    run.__name__ = verb.name
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    cast("Any", run).__signature__ = inspect.Signature(parameters)
    return run


CONNECTION: dict[str, tuple[Any, Any]] = {
    "url": (Url, None),
    "token": (Token, None),
    "username": (Username, None),
    "password": (Password, None),
    "output": (FormatOption, OutputFormat.AUTO),
}


def _parameter(word: Word, *, is_argument: bool) -> inspect.Parameter:
    name = word.name.replace("-", "_")
    kind: Any = word.kind if word.kind in (int, bool) else str
    if is_argument:
        annotation: Any = Annotated[kind, typer.Argument(help=word.help, metavar=word.name.upper())]
        return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation)
    option = typer.Option(f"--{word.name}", help=word.help)
    if word.is_required:
        return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=Annotated[kind, option])
    annotation = Annotated[bool, option] if kind is bool else Annotated[kind | None, option]
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=False if kind is bool else None, annotation=annotation
    )


def _run(verb: Verb, given: Mapping[str, Any], connection: ServerConnection, output: OutputFormat) -> None:
    words = {word.name.replace("-", "_"): word for word in (*verb.arguments, *verb.options)}
    fields = {
        words[name].wire: _read(words[name], value)
        for name, value in given.items()
        if value is not None and value is not False  # 0 is a number that somebody gave
    }
    if verb.by_key:
        fields["id"] = connection.send("LookupWebHookByKeyCommand", {"key": fields["id"]})["id"]
    print_answer(connection.send(verb.message, {**fields, **verb.fixed}), verb.columns, output)


def print_answer(data: Any, columns: tuple[str, ...], output: OutputFormat) -> None:
    """Print what was answered: a page as a table of these columns or as JSON lines, anything else as JSON."""
    page = cast("dict[str, Any]", data) if isinstance(data, dict) and "totalCount" in data else None
    if output.is_text and page is not None:
        print_page(page, columns)
    elif output.is_text:
        print_value(data)
    else:
        lines: list[Any] = [data] if page is None else cast("list[Any]", page["items"])
        for line in lines:
            print_json(line)


def _read(word: Word, value: Any) -> Any:
    if word.kind is list:
        return [each.strip() for each in value.split(",") if each.strip()]
    if word.kind is dict:
        from bpm.cli.fields import read_value

        return read_value(value)
    return value
