"""Functions of variables in expressions of Flowable and Camunda 7, written as what they are.

`${var:equals(amount, 5)}` is `${amount == 5}`, `${execution.getVariable("amount")}` is `${amount}`. A comparison with a
variable that is not there is false, as there.
"""

import re
from collections.abc import Callable

_TEXT = r"""'[^']*'|"[^"]*\""""
_CALL = re.compile(
    r"\b(?:variables|vars|var):(\w+)\(\s*(['\"]?)([A-Za-z_]\w*)\2\s*"
    rf"(?:,\s*({_TEXT}|[^(),'\"\s](?:[^(),'\"]*[^(),'\"\s])?)\s*)?\)"
    r"|\b(?:delegateExecution|execution)\.(getVariable|hasVariable)\(\s*(['\"])([A-Za-z_]\w*)\6\s*\)"
    rf"|{_TEXT}"
)
"""A call, or a text, in which nothing is one."""


def _compared(sign: str) -> Callable[[str, str], str]:
    return lambda name, value: f"({name} != null && {name} {sign} {value})"


_ONE: dict[str, Callable[[str], str]] = {
    "get": lambda name: name,
    "exists": lambda name: f"({name} != null)",
    "exist": lambda name: f"({name} != null)",
    "isEmpty": lambda name: f"(empty {name})",
    "empty": lambda name: f"(empty {name})",
    "isNotEmpty": lambda name: f"(not empty {name})",
    "notEmpty": lambda name: f"(not empty {name})",
}
_TWO: dict[str, Callable[[str, str], str]] = {
    "getOrDefault": lambda name, value: f"({name} != null ? {name} : {value})",
    **dict.fromkeys(("equals", "eq"), _compared("==")),
    **dict.fromkeys(("notEquals", "ne"), lambda name, value: f"({name} != {value})"),
    **dict.fromkeys(("lowerThan", "lessThan", "lt"), _compared("<")),
    **dict.fromkeys(("lowerThanOrEquals", "lessThanOrEquals", "lte"), _compared("<=")),
    **dict.fromkeys(("greaterThan", "gt"), _compared(">")),
    **dict.fromkeys(("greaterThanOrEquals", "gte"), _compared(">=")),
}


def without_variable_functions(source: str) -> str:
    """The same expression without such functions; one that is not known stays, to be refused where it is compiled."""
    return _CALL.sub(_plain, source) if ":" in source or "Variable" in source else source


def _plain(call: "re.Match[str]") -> str:
    function, _, name, value, method, _, variable = call.groups()
    if method is not None:
        return _ONE["get" if method == "getVariable" else "exists"](variable)
    if function is None:
        return call[0]
    if value is None and function in _ONE:
        return _ONE[function](name)
    return _TWO[function](name, value) if value is not None and function in _TWO else call[0]
