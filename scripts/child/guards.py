"""What compiled scripts call instead of touching objects directly: attributes, writes, classes, imports."""

import builtins
import decimal
import operator
import re
from collections import ChainMap, deque
from collections.abc import Callable, Iterable
from types import NoneType
from typing import Any, cast

from RestrictedPython import Guards

from bpm.number import Number
from scripts.child import facades, unicode_errors
from scripts.child.attributes import MEMBERS, SETTABLE, is_record, on_class, on_instance
from scripts.child.formatting import GuardedFormatter
from scripts.child.interface import CommandError
from scripts.child.privates import is_private
from scripts.child.readings import READINGS
from scripts.shared import policy

SIGNALS = type(decimal.Context().traps)
WRITABLE: tuple[type, ...] = (dict, list, bytearray, deque, ChainMap, SIGNALS)
"""Objects whose items a script may set, besides instances of its own classes."""

NONE: frozenset[str] = frozenset()

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


MADE_BY_COMPILER = frozenset(
    {
        "__module__", "__qualname__", "__doc__", "__classcell__", "__orig_bases__", "__firstlineno__",
        "__static_attributes__", "__classdictcell__",
    }
)  # fmt: skip
"""Names that Python itself puts into the namespace of a class."""


class ScriptClass(type):
    """The class of classes that scripts define; raises TypeError for a base or a name they may not have."""

    def __new__(cls, name: str, bases: tuple[Any, ...], namespace: dict[str, Any]) -> "ScriptClass":
        """Create the class, if it may have its bases and what it defines."""
        for base in bases:
            if not (type(base) is ScriptClass or base in BASES or _is_exception(base) or is_record(base)):
                raise TypeError(f"a class of a script cannot derive from {_title(base)}")
        for defined in namespace:
            if not _may_define(defined):
                raise TypeError(f"a class of a script cannot define {defined}")
        return super().__new__(cls, name, bases, namespace)


def get_attribute(owner: Any, name: str, *default: Any) -> Any:
    """Read an attribute; raises AttributeError for a missing or a closed one."""
    if type(name) is not str:
        raise TypeError("attribute name must be a plain string")
    if name in MEMBERS.get(kind_of(owner), NONE):
        if name in READINGS and kind_of(owner) in READINGS[name]:
            return READINGS[name][kind_of(owner)](owner)
        return getattr(owner, name, *default)
    if name in ("format", "format_map") and _is_text(owner):
        if name == "format" and type(owner) is str:
            return FORMATTER.bound_to(owner)
        raise AttributeError(f"'{name}' is not available here in scripts; write \"...\".format(...) or an f-string")
    if _is_open(owner, name):
        return getattr(owner, name, *default)
    if default and _is_missing(owner, name):
        return default[0]
    raise AttributeError(_refusal(owner, name))


def has_attribute(owner: Any, name: str) -> bool:
    """Tell whether a script could read the attribute."""
    try:
        get_attribute(owner, name)
    except AttributeError:
        return False
    return True


def set_attribute(owner: Any, name: str, value: Any) -> None:
    """Set an attribute by its name."""
    if type(name) is not str:
        raise TypeError("attribute name must be a plain string")
    if (name.startswith("_") and not is_private(name)) or name in policy.CLOSED_ATTRIBUTES:
        raise AttributeError(f"the attribute '{name}' is read-only in scripts")
    setattr(settable(owner, name), name, value)


def settable(owner: Any, name: str) -> Any:
    """Return the object if a script may set or delete its attribute of that name; raises TypeError if not.

    The interpreter keeps some instances of MemoryError for itself: what is left on them would be found later. Errors
    of text read memory at the positions they hold.
    """
    is_kept = isinstance(owner, MemoryError) or unicode_errors.is_real(owner)
    is_error = isinstance(owner, BaseException) and not is_kept
    if is_made_by_script(owner) or is_error or name in SETTABLE.get(kind_of(owner), NONE):
        return owner
    raise TypeError(f"the attributes of {_title(owner)} are read-only in scripts")


def writable(owner: Any) -> Any:
    """Return the object if a script may change its items; raises TypeError if not."""
    if not isinstance(owner, WRITABLE) and not is_made_by_script(owner):
        raise TypeError(f"{_title(owner)} is read-only in scripts")
    return owner


def type_of(value: Any, *rest: Any) -> type:
    """Return the class of a value, if it is one that scripts may hold."""
    found = unicode_errors.as_known(kind_of(value))
    if rest:
        raise TypeError("type() takes one argument in scripts; write a class statement")
    if found in KNOWN_CLASSES or type(found) is ScriptClass or _is_exception(found) or is_record(found):
        return found
    raise TypeError(f"type() of {_title(value)} is not available in scripts")


def kind_of(value: object) -> type:
    """Return the class of a value, whatever it is."""
    return type(value)


def parents_method(parent: Any, name: str) -> Any:
    """Return a special method of `super()`, the one object a script may call them on by name."""
    if type(parent) is not super or name not in policy.MAGIC_METHODS or _is_of_a_class(parent):
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
        **unicode_errors.STAND_INS,
    }
    rules: Any = Guards
    guards: dict[str, Any] = {
        "_getattr_": get_attribute,
        "_getitem_": operator.getitem,
        "_getiter_": iter,
        "_write_": writable,
        "_settable_": settable,
        "_inplacevar_": inplace,
        "_apply_": apply,
        "_super_": parents_method,
        "_slice_": slice,
        "_caught_": unicode_errors.caught,
        "_unpack_sequence_": rules.guarded_unpack_sequence,
        "_iter_unpack_sequence_": rules.guarded_iter_unpack_sequence,
        "__metaclass__": ScriptClass,
    }
    modules = {name: facade for name, facade in FACADES.items() if "." not in name}
    return {"__builtins__": available, "__name__": "__main__", **guards, **modules}


def is_made_by_script(owner: Any) -> bool:
    """Tell whether an object is a class of the script, or an instance of one."""
    return type(owner) is ScriptClass or type(kind_of(owner)) is ScriptClass


def _is_open(owner: Any, name: str) -> bool:
    """Tell whether a script may read an attribute of an object that is not simply listed in `MEMBERS`."""
    kind = kind_of(owner)
    if name == "__name__":
        return kind is not facades.Facade
    if name in policy.CLOSED_ATTRIBUTES:
        return False
    if name.startswith("_") and not is_private(name) and name not in policy.RECORD_ATTRIBUTES:
        return False
    if kind is facades.Facade:
        return not name.startswith("_")
    if kind is super:
        return _is_own_super(owner) and _is_open_above(owner, name)
    if isinstance(owner, type):
        return _shows(owner.__mro__, name, on_class) is True
    shown = _shows(kind.__mro__, name, on_instance)
    return _has_own(owner, name) if shown is None else shown


def _shows(classes: Iterable[type], name: str, listed: Callable[[type, str], bool]) -> bool | None:
    """Tell whether the first class that defines an attribute shows it; None when no class defines it."""
    for base in classes:
        if name in vars(base):
            return type(base) is ScriptClass or listed(base, name)
    return None


def _has_own(owner: Any, name: str) -> bool:
    """Tell whether an attribute is one that the script itself has set on an instance."""
    kind = kind_of(owner)
    own = type(kind) is ScriptClass or (isinstance(owner, BaseException) and kind.__module__ == "builtins")
    return own and name in vars(owner)


def _is_own_super(parent: Any) -> bool:
    """Tell whether an object is the `super()` of a class of the script."""
    return type(parent) is super and type(cast("Any", parent).__thisclass__) is ScriptClass


def _is_of_a_class(parent: Any) -> bool:
    """Tell whether a `super()` is that of a class method, or of nothing at all."""
    return parent.__self__ is None or isinstance(parent.__self__, type)


def _is_open_above(parent: Any, name: str) -> bool:
    """Tell whether the classes above the one of a `super()` show an attribute."""
    if parent.__self_class__ is None:
        return False
    classes: tuple[type, ...] = parent.__self_class__.__mro__
    above = classes[classes.index(parent.__thisclass__) + 1 :]
    return _shows(above, name, on_class if _is_of_a_class(parent) else on_instance) is True


def _may_define(name: str) -> bool:
    """Tell whether a class of a script may have a name in its body: what the transformer lets through, and no more."""
    if not name.startswith("_") or name == "_" or name in MADE_BY_COMPILER or name in policy.MAGIC_METHODS:
        return True
    return is_private(name) or TEMPORARY.fullmatch(name) is not None


def _is_text(owner: Any) -> bool:
    return isinstance(owner, str) or (isinstance(owner, type) and issubclass(owner, str))


def _is_missing(owner: Any, name: str) -> bool:
    """Tell whether an attribute is not closed, but is nowhere."""
    classes = owner.__mro__ if isinstance(owner, type) else kind_of(owner).__mro__
    return not name.startswith("_") and not any(name in vars(base) for base in (*classes, kind_of(owner)))


def _refusal(owner: Any, name: str) -> str:
    """Return why an attribute cannot be read: Python's own words where there is none."""
    if not _is_missing(owner, name):
        return f"the attribute '{name}' is closed in scripts"
    if isinstance(owner, type):
        return f"type object '{owner.__name__}' has no attribute '{name}'"
    return f"'{kind_of(owner).__name__}' object has no attribute '{name}'"


def _is_exception(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, BaseException)


def _title(value: Any) -> str:
    if type(value) is super:
        return "super()"
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
    return frozenset(classes | {NoneType, Number, type(re.compile("")), type(re.match("", ""))} - {super})


FACADES = facades.build()
TEMPORARY = re.compile(r"_tmp[0-9]+_")
"""Names that the transformer makes."""

FORMATTER = GuardedFormatter(get_attribute)
KNOWN_CLASSES = _known_classes()
