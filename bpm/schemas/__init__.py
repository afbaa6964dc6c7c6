"""JSON Schema (drafts 4, 6, 7, 2019-09 and 2020-12) with a bounded cost.

    check_schema(schema)          raises SchemaError
    problems(text, data)          -> sentences; raises OverBudget

A schema is compiled to nodes and keywords; a check asks each schema about each value once and charges a meter. See
docs/decisions for why.
"""

from .errors import SchemaError
from .limits import MAX_CHECK_STEPS, MAX_SCHEMA_BYTES, MAX_SCHEMA_STEPS
from .schema import check_schema, problems

__all__ = ["MAX_CHECK_STEPS", "MAX_SCHEMA_BYTES", "MAX_SCHEMA_STEPS", "SchemaError", "check_schema", "problems"]
