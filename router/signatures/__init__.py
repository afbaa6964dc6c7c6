"""Signatures of incoming requests: schemes as data, verification in constant time, explanations.

config (as on the wire) -> scheme (data) -> verifier: claim from the headers, age, digest, comparison
"""

from .config import STORED, NamedSecret, SignatureConfig
from .explain import Explanation, explain
from .scheme import PRESETS, Scheme
from .signing import sign
from .verifier import Resolve, SignatureVerdict, Verifier, compile_signature

__all__ = [
    "PRESETS",
    "STORED",
    "Explanation",
    "NamedSecret",
    "Resolve",
    "Scheme",
    "SignatureConfig",
    "SignatureVerdict",
    "Verifier",
    "compile_signature",
    "explain",
    "sign",
]
