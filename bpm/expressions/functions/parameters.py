"""The parameters of FEEL's functions, by which arguments can be named (DMN 1.5, 10.3.4).

A parameter of the type list takes one value as a list of it; one of any other type but Any takes a list of one as
its element.
"""

from collections.abc import Mapping, Sequence

Parameter = tuple[str, str]

_TABLE: Mapping[str, tuple[str, ...]] = {
    "abs": ("n: number",),
    "after": ("point1: Any, point2: Any",),
    "all": ("list: list",),
    "any": ("list: list",),
    "append": ("list: list",),
    "before": ("point1: Any, point2: Any",),
    "ceiling": ("n: number", "n: number, scale: number"),
    "coincides": ("point1: Any, point2: Any",),
    "contains": ("string: string, match: string",),
    "context": ("entries: list",),
    "context merge": ("contexts: list",),
    "context put": ("context: context, key: string, value: Any", "context: context, keys: list, value: Any"),
    "count": ("list: list",),
    "date": ("from: string", "year: number, month: number, day: number"),
    "date and time": ("from: string", "date: date, time: time"),
    "day of week": ("date: date",),
    "day of year": ("date: date",),
    "decimal": ("n: number, scale: number",),
    "distinct values": ("list: list",),
    "duplicate values": ("list: list",),
    "duration": ("from: string",),
    "during": ("point: Any, range: range",),
    "ends with": ("string: string, match: string",),
    "even": ("number: number",),
    "exp": ("number: number",),
    "finished by": ("range: range, point: Any",),
    "finishes": ("point: Any, range: range",),
    "flatten": ("list: list",),
    "floor": ("n: number", "n: number, scale: number"),
    "get entries": ("m: context",),
    "get value": ("m: context, key: string", "m: context, keys: list"),
    "includes": ("range: range, point: Any",),
    "index of": ("list: list, match: Any",),
    "insert before": ("list: list, position: number, newItem: Any",),
    "is": ("value1: Any, value2: Any",),
    "list contains": ("list: list, element: Any",),
    "list replace": ("list: list, position: number, newItem: Any", "list: list, match: function, newItem: Any"),
    "log": ("number: number",),
    "lower case": ("string: string",),
    "max": ("list: list",),
    "mean": ("list: list",),
    "median": ("list: list",),
    "meets": ("range1: range, range2: range",),
    "met by": ("range1: range, range2: range",),
    "min": ("list: list",),
    "mode": ("list: list",),
    "modulo": ("dividend: number, divisor: number",),
    "month of year": ("date: date",),
    "number": ("from: string", "from: string, grouping separator: string, decimal separator: string"),
    "odd": ("number: number",),
    "overlaps": ("range1: range, range2: range",),
    "overlaps after": ("range1: range, range2: range",),
    "overlaps before": ("range1: range, range2: range",),
    "product": ("list: list",),
    "range": ("from: string",),
    "remove": ("list: list, position: number",),
    "reverse": ("list: list",),
    "round down": ("n: number, scale: number",),
    "round half down": ("n: number, scale: number",),
    "round half up": ("n: number, scale: number",),
    "round up": ("n: number, scale: number",),
    "sort": ("list: list, precedes: function",),
    "split": ("string: string, delimiter: string",),
    "sqrt": ("number: number",),
    "started by": ("range: range, point: Any",),
    "starts": ("point: Any, range: range",),
    "starts with": ("string: string, match: string",),
    "stddev": ("list: list",),
    "string": ("from: Any",),
    "string join": ("list: list", "list: list, delimiter: string"),
    "string length": ("string: string",),
    "sublist": ("list: list, start position: number", "list: list, start position: number, length: number"),
    "substring": (
        "string: string, start position: number",
        "string: string, start position: number, length: number",
    ),
    "substring after": ("string: string, match: string",),
    "substring before": ("string: string, match: string",),
    "sum": ("list: list",),
    "time": (
        "from: string",
        "hour: number, minute: number, second: number",
        "hour: number, minute: number, second: number, offset: duration",
    ),
    "upper case": ("string: string",),
    "week of year": ("date: date",),
    "years and months duration": ("from: date, to: date",),
}


def _parameters(written: str) -> tuple[Parameter, ...]:
    pairs = [part.split(": ") for part in written.split(", ")]
    return tuple((name, kind) for name, kind in pairs)


SIGNATURES: Mapping[str, Sequence[tuple[Parameter, ...]]] = {
    name: [_parameters(written) for written in forms] for name, forms in _TABLE.items()
}


def form_with(function: str, names: Sequence[str]) -> tuple[Parameter, ...]:
    """The first form of the function that has parameters of all these names; empty without one."""
    for form in SIGNATURES.get(function, ()):
        if set(names) <= {name for name, _ in form} and len(set(names)) == len(names):
            return form
    return ()


_REPEATED: Mapping[str, tuple[str, str]] = {
    "append": ("list", "Any"),
    "concatenate": ("list", "list"),
    "union": ("list", "list"),
}
"""The types of functions that take any number of arguments: of the first one, and of each that follows."""


def kinds(function: str, count: int) -> Sequence[str]:
    """The types of so many arguments; Any where nothing is said."""
    if count and function in _REPEATED:
        first, others = _REPEATED[function]
        return [first, *[others] * (count - 1)]
    forms = [[kind for _, kind in form] for form in SIGNATURES.get(function, ()) if len(form) == count]
    return ["Any" if len(set(found)) > 1 else found[0] for found in zip(*forms, strict=True)] or ["Any"] * count
