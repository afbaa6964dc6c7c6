"""FEEL's dates, times and durations (DMN 1.5, 10.3.2.3): of any year up to 999,999,999, exact to the nanosecond.

    dates.CivilDate    times.Time    moments.DateTime    durations.ExactDuration and Months    zones.Offset and Region
    reading       from ISO 8601 text and from parts
    arithmetic    + - * / between them
    properties    `.year`, `.time offset`
    writing       as JSON, and as FEEL's own text

Python's own types end in the year 9999 and at the microsecond, and drop the name of a time's zone.
"""

from .arithmetic import add, divide, multiply, subtract
from .clock import CLOCK, now
from .dates import CivilDate
from .durations import ExactDuration, Months
from .moments import DateTime
from .ordered import Ordered
from .properties import member
from .reading import (
    combine,
    date_from_parts,
    function_for,
    literal,
    time_from_parts,
    to_date,
    to_datetime,
    to_duration,
    to_time,
)
from .times import Time
from .writing import describe, to_json, to_text
from .zones import Offset

TEMPORAL = (CivilDate, Time, DateTime, ExactDuration, Months)

__all__ = [
    "CLOCK",
    "TEMPORAL",
    "CivilDate",
    "DateTime",
    "ExactDuration",
    "Months",
    "Offset",
    "Ordered",
    "Time",
    "add",
    "combine",
    "date_from_parts",
    "describe",
    "divide",
    "function_for",
    "literal",
    "member",
    "multiply",
    "now",
    "subtract",
    "time_from_parts",
    "to_date",
    "to_datetime",
    "to_duration",
    "to_json",
    "to_text",
    "to_time",
]
