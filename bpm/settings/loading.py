"""Reads settings from the environment, and says which variables are wrong or unknown."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import ValidationError, create_model
from pydantic.fields import FieldInfo
from pydantic_settings import SettingsError

from bpm.errors import Misconfigured
from bpm.settings.groups import Group
from bpm.settings.settings import PREFIX, Settings
from bpm.spelling import nearest

BESIDE = frozenset({"BPM_URL", "BPM_TOKEN", "BPM_USERNAME", "BPM_PASSWORD", "BPM_SKIP_UI"})
"""Variables that are no settings: the command line's, and the one of `pip install`."""

FREE = ("BPM_TEST_", "BPM_BENCH_")
"""Beginnings of names that are left to tests."""

_FIELD = re.compile(r'field "(\w+)"')


def with_groups(groups: Mapping[str, type[Group]]) -> type[Settings]:
    """Return `Settings` with more groups: `acme` is read from `BPM_ACME__…`."""
    added: dict[str, Any] = {name: (group, group()) for name, group in groups.items()}
    no_docstrings = {"use_attribute_docstrings": False}  # of a class without source they are looked for at length
    return create_model("Settings", __base__=Settings, __cls_kwargs__=no_docstrings, **added)


def load_settings(kind: type[Settings] = Settings, /, **changes: Any) -> Settings:
    """Read the settings of the environment, with `changes` before it.

    Raises `Misconfigured` with a sentence for each that is wrong; none repeats a value, which may be a secret.
    """
    try:
        return kind(**changes)
    except ValidationError as error:
        known = [name for name, _ in variables(kind)]
        problems = error.errors(include_input=False)
        raise Misconfigured(*(_sentence(dict(each), known) for each in problems)) from None
    except SettingsError as error:
        found = _FIELD.search(str(error))
        name = f"{PREFIX}{found[1].upper()}" if found is not None else "a setting"
        raise Misconfigured(f"{name}: must be JSON; its settings can be written one by one, as {name}__…") from None


def variables(kind: type[Settings]) -> Iterator[tuple[str, FieldInfo]]:
    """Yield every variable that is a setting, with its field."""
    for name, field in kind.model_fields.items():
        group = field.annotation
        if isinstance(group, type) and issubclass(group, Group):
            inside = group.model_fields.items()
            yield from ((f"{PREFIX}{name}__{inner}".upper(), each) for inner, each in inside)
        else:
            yield f"{PREFIX}{name}".upper(), field


def unknown_variables(kind: type[Settings], environment: Iterable[str]) -> list[str]:
    """Return a sentence for each variable of the environment that looks like a setting and is none."""
    known = [name for name, _ in variables(kind)]
    groups = {name.partition("__")[0] for name in known}
    names = sorted(name.upper() for name in environment if name.upper().startswith(PREFIX))
    others = (name for name in names if name not in BESIDE and not name.startswith(FREE))
    return [unknown_variable(name, known) for name in others if name not in known and name not in groups]


def unknown_variable(name: str, known: Iterable[str]) -> str:
    """Say that there is no such setting, and which one was probably meant."""
    near = nearest(name, known, cutoff=0.75)
    hint = f"did you mean {near[0]}?" if near else "docs/reference/settings.md lists them"
    return f"{name}: there is no such setting; {hint}"


def _sentence(problem: Mapping[str, Any], known: Iterable[str]) -> str:
    name = PREFIX + "__".join(map(str, problem["loc"])).upper()
    if problem["type"] == "extra_forbidden":
        return unknown_variable(name, known)
    return f"{name}: {problem['msg'].removeprefix('Value error, ')}"
