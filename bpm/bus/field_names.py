"""The names under which the fields of a message are given."""

from collections.abc import Iterable

from pydantic import BaseModel


def field_names(model: type[BaseModel]) -> list[str]:
    """Return the names of all fields, as they are given in JSON."""
    return [field.alias or name for name, field in model.model_fields.items()]


def unknown_fields(model: type[BaseModel], given: Iterable[str]) -> list[str]:
    """Return the names that are no field's; none where the message takes others as well."""
    if model.model_config.get("extra") != "forbid":
        return []
    known = {*field_names(model), *model.model_fields}
    return [name for name in given if name not in known]
