"""Signatures of incoming requests: schemes as data, verification in constant time, explanations.

config (as on the wire) or preset (a file) -> scheme (data) -> verifier: claim from the request, age, content, proof
"""

from .certificates import is_host, load_certificates
from .config import STORED, NamedSecret, SignatureConfig
from .explain import Explanation, explain
from .presets import DETAILS, PRESETS, Preset, PresetExample
from .proofs import KeyLookup, TrustSources, no_lookup
from .scheme import SHOWN, Scheme
from .signed_request import NOWHERE, RequestAddress, SignatureRefusal, SignedRequest
from .signing import RequestToSend, sign, sign_request
from .tokens import check_published_keys
from .verifier import NO_SOURCES, Resolve, SignatureVerdict, Verifier, compile_signature

__all__ = [
    "DETAILS",
    "NOWHERE",
    "NO_SOURCES",
    "PRESETS",
    "SHOWN",
    "STORED",
    "Explanation",
    "KeyLookup",
    "NamedSecret",
    "Preset",
    "PresetExample",
    "RequestAddress",
    "RequestToSend",
    "Resolve",
    "Scheme",
    "SignatureConfig",
    "SignatureRefusal",
    "SignatureVerdict",
    "SignedRequest",
    "TrustSources",
    "Verifier",
    "check_published_keys",
    "compile_signature",
    "explain",
    "is_host",
    "load_certificates",
    "no_lookup",
    "sign",
    "sign_request",
]
