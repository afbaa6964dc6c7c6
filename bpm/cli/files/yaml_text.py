"""YAML as the files of a folder are written: JSON's values, no anchors, no key twice.

`yes`, `on`, `1_000` and `2026-11-27` are texts here, as in YAML 1.2.
"""

import re
from collections.abc import Hashable, Iterable
from typing import Any, cast

import yaml

from bpm.exact_json import read_json
from bpm.number import Number

MAX_BYTES = 1024 * 1024
"""The largest file that is read."""

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$")
_OTHER_BREAKS = re.compile("[\x85\u2028\u2029]")
"""Line breaks of Unicode, which YAML reads as blanks unless they are written as escapes."""
_TEXT, _NULL, _BOOL, _FLOAT = (f"tag:yaml.org,2002:{name}" for name in ("str", "null", "bool", "float"))


class YamlError(ValueError):
    """A text is not YAML, or not of the kind that is read here; says where."""


class _Loader(yaml.SafeLoader):
    """Reads JSON's values alone."""

    yaml_implicit_resolvers: Any = {}  # noqa: RUF012 as the library declares it

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Refuse aliases: a few lines of them would stand for gigabytes."""
        if self.check_event(yaml.AliasEvent):
            raise yaml.constructor.ConstructorError(
                None, None, "anchors and aliases are not read", cast("Any", self.peek_event()).start_mark
            )
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
        """Refuse a key that stands twice, or is no text."""
        seen: set[str] = set()
        for name, _ in node.value:
            if name.tag != _TEXT:
                raise yaml.constructor.ConstructorError(None, None, "a key must be a text", name.start_mark)
            if name.value in seen:
                problem = f"the key {name.value!r} stands twice"
                raise yaml.constructor.ConstructorError(None, None, problem, name.start_mark)
            seen.add(name.value)
        return super().construct_mapping(node, deep=deep)


class _Dumper(yaml.SafeDumper):
    """Writes what `_Loader` reads as it was."""

    def ignore_aliases(self, data: Any) -> bool:
        """Write equal values each time."""
        return True


def _number(loader: _Loader, node: Any) -> Any:
    return read_json(node.value)


def _text(dumper: _Dumper, value: str) -> Any:
    is_block = "\n" in value and not value.startswith((" ", "\n"))
    style = '"' if _OTHER_BREAKS.search(value) else "|" if is_block else None
    return dumper.represent_scalar(_TEXT, value, style=style)


_Loader.add_implicit_resolver(_BOOL, re.compile(r"(?:true|false)$"), list("tf"))
_Loader.add_implicit_resolver(_NULL, re.compile(r"(?:null|~|)$"), ["n", "~", ""])
_Loader.add_implicit_resolver(_FLOAT, _NUMBER, list("-0123456789"))
_Loader.add_constructor(_FLOAT, _number)
_Dumper.add_implicit_resolver(_FLOAT, _NUMBER, list("-0123456789"))
_Dumper.add_representer(str, _text)
_Dumper.add_representer(Number, lambda dumper, value: dumper.represent_scalar(_FLOAT, str(value)))


def read_documents(text: str) -> list[Any]:
    """Return the documents of a file; raises `YamlError`."""
    if len(text) > MAX_BYTES:
        raise YamlError(f"is larger than {MAX_BYTES} bytes")
    try:
        return [one for one in yaml.load_all(text, _Loader) if one is not None]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark is not None else ""
        raise YamlError(f"{place}{error.problem or error.context}") from None
    except (yaml.YAMLError, ValueError) as error:
        raise YamlError(str(error)) from None
    except RecursionError:
        raise YamlError("is nested too deeply") from None


def write_documents(documents: Iterable[Any]) -> str:
    """Return a file with documents, which `read_documents` reads as they were."""
    options = {"sort_keys": False, "allow_unicode": True, "width": 120, "default_flow_style": False}
    return cast("str", yaml.dump_all(list(documents), Dumper=_Dumper, **cast("Any", options)))
