"""What can go wrong with a JSON Schema itself."""


class SchemaError(ValueError):
    """A JSON Schema can't be used; the sentence says why."""
