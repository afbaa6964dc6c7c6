"""The language layer in one place: every name, module member and method a script may use.

Nothing here runs; `facades`, `guards` and `transformer` read these tables. What is not listed does not exist
for a script. Change `VERSION` with the tables: compiled scripts are kept by it.
"""

from RestrictedPython.transformer import INSPECT_ATTRIBUTES


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


VERSION = "6"

GRAMMAR = (3, 11)
"""The version of Python whose syntax scripts are written in, whichever newer one runs them: a rule that was saved on
one server can be saved on every other."""

FILENAME = "<script>"
"""The file name of compiled scripts; frames that carry it are the script's own."""

INPUTS = ("payload", "headers", "query", "path", "method", "request_id", "request", "variables")
"""Names bound to what the caller gives a run."""

CALLS = ("log", "print", "send", "reply", "now")
"""Names bound to the script's own functions."""

BUILTINS = _names(
    "None True False Ellipsis NotImplemented __build_class__ abs all any ascii bin bool bytearray bytes callable "
    "chr classmethod complex dict divmod enumerate filter float format frozenset hash hex int isinstance "
    "issubclass iter len list map max min next object oct ord pow property range repr reversed round set slice "
    "sorted staticmethod str sum super tuple zip"
)
"""Builtins handed out as they are; `type getattr hasattr setattr __import__` are guarded ones."""

EXCEPTIONS = _names(
    "ArithmeticError AssertionError AttributeError BaseException BufferError ConnectionError DeprecationWarning "
    "EOFError EnvironmentError Exception FileNotFoundError FloatingPointError GeneratorExit IOError ImportError "
    "IndexError KeyError LookupError MemoryError ModuleNotFoundError NameError NotImplementedError OSError "
    "OverflowError PermissionError RecursionError RuntimeError RuntimeWarning StopIteration SyntaxError "
    "TimeoutError TypeError UnboundLocalError UnicodeDecodeError UnicodeEncodeError UnicodeError "
    "UnicodeTranslateError UserWarning ValueError Warning ZeroDivisionError"
)

GUARDED_BUILTINS = ("type", "getattr", "hasattr", "setattr", "CommandError")

MODULES: dict[str, tuple[str, ...]] = {
    "json": _names("loads dumps JSONDecodeError"),
    "math": _names(
        "acos acosh asin asinh atan atan2 atanh cbrt ceil comb copysign cos cosh degrees dist e erf erfc exp exp2 "
        "expm1 fabs factorial floor fmod frexp fsum gamma gcd hypot inf isclose isfinite isinf isnan isqrt lcm "
        "ldexp lgamma log log10 log1p log2 modf nan nextafter perm pi pow prod radians remainder sin sinh sqrt "
        "tan tanh tau trunc ulp"
    ),
    "datetime": _names("date datetime time timedelta timezone MINYEAR MAXYEAR UTC"),
    "decimal": _names(
        "Decimal Context getcontext setcontext localcontext ROUND_CEILING ROUND_DOWN ROUND_FLOOR ROUND_HALF_DOWN "
        "ROUND_HALF_EVEN ROUND_HALF_UP ROUND_UP ROUND_05UP DecimalException DivisionByZero Inexact "
        "InvalidOperation Overflow Rounded Underflow"
    ),
    "re": _names(
        "compile match fullmatch search findall finditer split sub subn escape error A ASCII I IGNORECASE M "
        "MULTILINE S DOTALL X VERBOSE U UNICODE Match Pattern"
    ),
    "hashlib": _names(
        "md5 sha1 sha224 sha256 sha384 sha512 sha3_224 sha3_256 sha3_384 sha3_512 blake2b blake2s pbkdf2_hmac"
    ),
    "hmac": _names("new digest compare_digest"),
    "base64": _names(
        "b64encode b64decode standard_b64encode standard_b64decode urlsafe_b64encode urlsafe_b64decode b32encode "
        "b32decode b16encode b16decode a85encode a85decode b85encode b85decode"
    ),
    "binascii": _names("hexlify unhexlify b2a_base64 a2b_base64 b2a_hex a2b_hex crc32 crc_hqx Error"),
    "uuid": _names("UUID uuid3 uuid4 uuid5 NAMESPACE_DNS NAMESPACE_URL NAMESPACE_OID NAMESPACE_X500"),
    "statistics": _names(
        "mean fmean geometric_mean harmonic_mean median median_low median_high median_grouped mode multimode "
        "quantiles stdev pstdev variance pvariance covariance correlation linear_regression StatisticsError"
    ),
    "itertools": _names(
        "accumulate chain combinations combinations_with_replacement compress count cycle dropwhile filterfalse "
        "groupby islice pairwise permutations product repeat starmap takewhile tee zip_longest"
    ),
    "collections": _names("namedtuple defaultdict Counter OrderedDict deque ChainMap"),
    "functools": _names("reduce partial cmp_to_key"),
    "string": _names(
        "ascii_letters ascii_lowercase ascii_uppercase digits hexdigits octdigits punctuation printable whitespace "
        "capwords"
    ),
    "textwrap": _names("dedent fill indent shorten wrap"),
    "html": _names("escape unescape"),
    "random": _names(
        "random randint randrange choice choices sample shuffle uniform triangular gauss normalvariate "
        "expovariate betavariate gammavariate lognormvariate paretovariate weibullvariate vonmisesvariate "
        "getrandbits randbytes seed Random"
    ),
    "fractions": ("Fraction",),
    "calendar": _names(
        "monthrange isleap leapdays weekday monthcalendar timegm month_name month_abbr day_name day_abbr MONDAY "
        "TUESDAY WEDNESDAY THURSDAY FRIDAY SATURDAY SUNDAY"
    ),
    "zoneinfo": _names("ZoneInfo ZoneInfoNotFoundError available_timezones"),
    "urllib": ("parse",),
    "urllib.parse": _names(
        "urlencode urljoin urlparse urlsplit urlunparse urlunsplit urldefrag parse_qs parse_qsl quote quote_plus "
        "quote_from_bytes unquote unquote_plus unquote_to_bytes"
    ),
    "typing": _names(
        "Any Callable ClassVar Dict Final FrozenSet Generator Generic Iterable Iterator List Literal Mapping "
        "NoReturn Optional Sequence Set Tuple Type TypeVar Union cast"
    ),
}
"""Members of each module; the top-level ones are also there without an import."""

MAGIC_METHODS = frozenset(
    _names(
        "__init__ __repr__ __str__ __eq__ __ne__ __lt__ __le__ __gt__ __ge__ __hash__ __bool__ __len__ "
        "__contains__ __iter__ __next__ __reversed__ __getitem__ __setitem__ __delitem__ __missing__ __call__ "
        "__enter__ __exit__ __neg__ __pos__ __invert__ __abs__ __int__ __float__ __round__ __trunc__ __floor__ "
        "__ceil__ __add__ __radd__ __iadd__ __sub__ __rsub__ __isub__ __mul__ __rmul__ __imul__ __truediv__ "
        "__rtruediv__ __itruediv__ __floordiv__ __rfloordiv__ __ifloordiv__ __mod__ __rmod__ __imod__ __divmod__ "
        "__rdivmod__ __pow__ __rpow__ __ipow__ __matmul__ __rmatmul__ __imatmul__ __and__ __rand__ __iand__ "
        "__or__ __ror__ __ior__ __xor__ __rxor__ __ixor__ __lshift__ __rlshift__ __ilshift__ __rshift__ "
        "__rrshift__ __irshift__"
    )
)
"""Special methods a class of a script may define, and call on `super()`: none that takes part in attribute
access, creation, finalising, formatting or copying."""

READABLE_DUNDERS = frozenset({"__name__"})
"""Special names a script may read: `type(error).__name__` is what honest scripts log, and programs end with
`if __name__ == "__main__"`."""

RECORD_ATTRIBUTES = frozenset({"_asdict", "_fields", "_make", "_replace"})
"""What named tuples offer under private names; other private attributes are those a script's classes make."""

CLOSED_ATTRIBUTES = INSPECT_ATTRIBUTES
"""Attributes of frames, tracebacks, code and generators, closed on every object."""

CLOSED_NAMES = frozenset({"builtins", "breakpoint"})
"""Names a script may neither read nor bind, besides those that begin with an underscore."""

CLOSED_CALLS = frozenset({"eval", "exec"})
"""Calls refused when a script is saved, so that their author hears it early."""

PBKDF2_ITERATIONS = 1_000_000
"""More iterations than this are refused at once instead of at the CPU limit."""
