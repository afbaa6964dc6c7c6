"""What compiled scripts call instead of touching objects directly: attributes, writes, classes, imports."""

import builtins
import decimal
import functools
import operator
import re
import zoneinfo
from collections import ChainMap, deque
from collections.abc import Callable
from types import NoneType
from typing import Any

from RestrictedPython import Guards

from scripts import facades, policy
from scripts.formatting import GuardedFormatter
from scripts.interface import CommandError
from scripts.privates import is_private

SIGNALS = type(decimal.Context().traps)
WRITABLE: tuple[type, ...] = (dict, list, bytearray, deque, ChainMap, decimal.Context, SIGNALS, BaseException)
"""Objects whose items or attributes a script may set, besides instances of its own classes."""

CLOSED_MEMBERS: dict[str, type] = {
    "mro": type,
    "obj": BaseException,
    "from_file": zoneinfo.ZoneInfo,
    "no_cache": zoneinfo.ZoneInfo,
    "clear_cache": zoneinfo.ZoneInfo,
}
"""Public attributes that lead out of a kind of object, or into its files and caches."""

BASES = (object, dict, list, set, frozenset, tuple)
"""Classes a script may derive from, besides exceptions and named tuples. Not `str`: its `format` reads attributes."""

INPLACE: dict[str, Callable[[Any, Any], Any]] = {
    "+=": operator.iadd,
    "-=": operator.isub,
    "*=": operator.imul,
    "/=": operator.itruediv,
    "%=": operator.imod,
    "**=": operator.ipow,
    "<<=": operator.ilshift,
    ">>=": operator.irshift,
    "|=": operator.ior,
    "^=": operator.ixor,
    "&=": operator.iand,
    "//=": operator.ifloordiv,
    "@=": operator.imatmul,
}


class ScriptClass(type):
    """The class of classes that scripts define; raises TypeError for a base they may not have."""

    def __new__(cls, name: str, bases: tuple[Any, ...], namespace: dict[str, Any]) -> "ScriptClass":
        """Create the class, if it may have its bases."""
        for base in bases:
            if not (type(base) is ScriptClass or base in BASES or _is_exception(base) or _is_record(base)):
                raise TypeError(f"a class of a script cannot derive from {_title(base)}")
        return super().__new__(cls, name, bases, namespace)


def get_attribute(owner: Any, name: str, *default: Any) -> Any:
    """Read an attribute; raises AttributeError for a missing or a closed one."""
    check_attribute(owner, name)
    if name in ("format", "format_map") and _is_text(owner):
        if name == "format" and type(owner) is str:
            return functools.partial(FORMATTER.format, owner)
        raise AttributeError(f"'{name}' is not available here in scripts; write \"...\".format(...) or an f-string")
    return getattr(owner, name, *default)


def check_attribute(owner: Any, name: str) -> None:
    """Raise AttributeError when no script may touch the attribute of that name, TypeError when it is no name."""
    if type(name) is not str:
        raise TypeError("attribute name must be a plain string")
    private = name.startswith("_") and name not in policy.READABLE_DUNDERS and not _is_own(owner, name)
    if private or name in policy.CLOSED_ATTRIBUTES or isinstance(owner, CLOSED_MEMBERS.get(name, ())):
        raise AttributeError(f"the attribute '{name}' is closed in scripts")


def has_attribute(owner: Any, name: str) -> bool:
    """Tell whether a script could read the attribute."""
    try:
        get_attribute(owner, name)
    except AttributeError:
        return False
    return True


def set_attribute(owner: Any, name: str, value: Any) -> None:
    """Set an attribute by its name."""
    check_attribute(owner, name)
    if name in policy.READABLE_DUNDERS:
        raise AttributeError(f"the attribute '{name}' is read-only in scripts")
    setattr(writable(owner), name, value)


def writable(owner: Any) -> Any:
    """Return the object if a script may change it; raises TypeError if not."""
    if not isinstance(owner, WRITABLE) and not _is_made_by_script(owner):
        raise TypeError(f"{_title(owner)} is read-only in scripts")
    return owner


def type_of(value: Any, *rest: Any) -> type:
    """Return the class of a value, if it is one that scripts may hold."""
    found = kind_of(value)
    if rest:
        raise TypeError("type() takes one argument in scripts; write a class statement")
    if found in KNOWN_CLASSES or type(found) is ScriptClass or _is_exception(found) or _is_record(found):
        return found
    raise TypeError(f"type() of {_title(value)} is not available in scripts")


def kind_of(value: object) -> type:
    """Return the class of a value, whatever it is."""
    return type(value)


def parents_method(parent: Any, name: str) -> Any:
    """Return a special method of `super()`, the one object a script may call them on by name."""
    if type(parent) is not super or name not in policy.MAGIC_METHODS:
        raise AttributeError(f"'{name}' can only be called on super()")
    return getattr(parent, name)


def import_module(
    name: str, _globals: Any = None, _locals: Any = None, fromlist: Any = None, level: int = 0
) -> facades.Facade | None:
    """Return the facade of a module; raises ImportError for one that is not listed.

    The interpreter's own C code imports (`_strptime`, `time`) in the name of the running script; it passes a
    list, which no import statement does, and takes the module from `sys.modules` itself.
    """
    if type(fromlist) is list:
        return None
    if level or name not in FACADES:
        raise ImportError(f"the module '{name}' is not available in scripts")
    return FACADES[name] if fromlist else FACADES[name.partition(".")[0]]


def apply(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call with starred arguments."""
    return function(*args, **kwargs)


def inplace(sign: str, left: Any, right: Any) -> Any:
    """Compute an augmented assignment."""
    return INPLACE[sign](left, right)


def namespace() -> dict[str, Any]:
    """Return the globals every script starts with; the caller adds the names of its run."""
    available = {name: getattr(builtins, name) for name in (*policy.BUILTINS, *policy.EXCEPTIONS)}
    available |= {
        "type": type_of,
        "getattr": get_attribute,
        "hasattr": has_attribute,
        "setattr": set_attribute,
        "__import__": import_module,
        "CommandError": CommandError,
    }
    rules: Any = Guards
    guards: dict[str, Any] = {
        "_getattr_": get_attribute,
        "_getitem_": operator.getitem,
        "_getiter_": iter,
        "_write_": writable,
        "_inplacevar_": inplace,
        "_apply_": apply,
        "_super_": parents_method,
        "_slice_": slice,
        "_unpack_sequence_": rules.guarded_unpack_sequence,
        "_iter_unpack_sequence_": rules.guarded_iter_unpack_sequence,
        "__metaclass__": ScriptClass,
    }
    modules = {name: facade for name, facade in FACADES.items() if "." not in name}
    return {"__builtins__": available, "__name__": "__main__", **guards, **modules}


def _is_made_by_script(owner: Any) -> bool:
    """Tell whether an object is a class of the script, or an instance of one."""
    return type(owner) is ScriptClass or type(kind_of(owner)) is ScriptClass


def _is_own(owner: Any, name: str) -> bool:
    """Tell whether a private attribute belongs to a script's own class, or to a named tuple."""
    if name in policy.RECORD_ATTRIBUTES:
        return isinstance(owner, tuple) or (isinstance(owner, type) and issubclass(owner, tuple))
    return is_private(name) and (_is_made_by_script(owner) or type(owner) is super)


def _is_record(value: Any) -> bool:
    """Tell whether a value is a class that `namedtuple` made."""
    return isinstance(value, type) and value.__bases__ == (tuple,) and "_fields" in vars(value)


def _is_text(owner: Any) -> bool:
    return isinstance(owner, str) or (isinstance(owner, type) and issubclass(owner, str))


def _is_exception(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, BaseException)


def _title(value: Any) -> str:
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if isinstance(value, facades.Facade):
        return "a module"
    return "a function" if callable(value) else f"a value of type {type(value).__name__}"


def _known_classes() -> frozenset[type]:
    offered = [getattr(builtins, name) for name in policy.BUILTINS]
    for module, members in policy.MODULES.items():
        offered += [getattr(FACADES[module], member) for member in members]
    classes = {value for value in offered if isinstance(value, type)}
    return frozenset(classes | {NoneType, type(re.compile("")), type(re.match("", ""))} - {super})


FACADES = facades.build()
FORMATTER = GuardedFormatter(get_attribute)
KNOWN_CLASSES = _known_classes()
