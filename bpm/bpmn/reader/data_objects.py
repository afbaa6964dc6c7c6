"""The values that Flowable and Activiti give to data objects: variables of the scope they stand in."""

from collections.abc import Callable
from typing import Any, NamedTuple

from bpm.exact_json import read_json
from bpm.model_files.xml import BPMN, Tag

TEXTS = frozenset({"", "string", "date", "datetime", "dateTime"})


class DataValue(NamedTuple):
    """A variable that a process or sub-process begins with."""

    scope: str
    name: str
    value: Any


def read_data_object(tag: Tag, scope: str, refuse: Callable[[str], None]) -> DataValue | None:
    """Read the value of a data object; None if it has none. One that is not of its type is refused."""
    holder = tag.first("extensionElements")
    children = holder.children if holder else ()
    values = [child for child in children if child.name == "value" and child.namespace != BPMN]
    if not values:
        return None
    name, kind, text = tag.get("name") or tag.get("id"), tag.get("itemSubjectRef").rpartition(":")[2], values[0].text
    if not name:
        refuse("it has a value but no name, which is that of the variable")
        return None
    if kind in TEXTS:
        return DataValue(scope, name, text.strip())
    try:
        value: Any = read_json(text.strip(), allow_inf_nan=False)
    except ValueError:
        value = None
    if not isinstance(value, bool) if kind == "boolean" else isinstance(value, bool | str | list | dict | None):
        refuse(f"its value '{text.strip():.100}' is not of the type {kind:.50}")
    return DataValue(scope, name, value)
