"""Keys that take minutes to load, since the library asks whether their numbers are prime, are not loaded."""

import base64
import contextlib
from collections.abc import Callable

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from pydantic import ValidationError

from bpm.client import ServerRefused
from bpm.signatures import SignatureConfig, SignatureRefusal, check_published_keys
from bpm.signatures.certificates import check_client, key_of
from bpm.signatures.private_keys import sign_by_key
from bpm.testing import running_app
from tests.attacks.test_rare_keys import NOW, in_pem, self_signed
from tests.bpm.signatures.signing_keys import Authority, pair
from tests.effort import effort_below

PRIME, OTHER = 2**2203 - 1, 2**1279 - 1
"""Primes of Mersenne's: to be told that they are some takes two seconds, and with ten thousand digits a day."""
DIFFIE_HELLMAN = (bytes.fromhex("06092a864886f70d010301"), bytes.fromhex("06072a8648ce3e0201"))
SECONDS = 0.5


def part(tag: int, *contents: bytes) -> bytes:
    content = b"".join(contents)
    length = len(content)
    if length < 128:
        return bytes([tag, length]) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8)
    return bytes([tag, 0x80 | len(octets)]) + octets + content


def number(value: int) -> bytes:
    return part(2, value.to_bytes(value.bit_length() // 8 + 1))


def agreement(kind: int) -> bytes:
    """Return the kind and the numbers of a key for Diffie-Hellman (PKCS 3, or X9.42)."""
    return part(0x30, DIFFIE_HELLMAN[kind], part(0x30, number(PRIME), number(2), *[number(2**521 - 1)] * kind))


def public_of(kind: int = 0) -> bytes:
    return part(0x30, agreement(kind), part(3, b"\0" + number(32)))


def private_of(kind: int = 0) -> str:
    return in_pem(part(0x30, number(0), agreement(kind), part(4, number(5))), "PRIVATE KEY")


def certificate(key: bytes = public_of()) -> str:
    """Return a certificate for a key that nobody would certify."""
    real = self_signed(pair("ecdsa").key)
    own = pair("ecdsa").key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    signed = x509.load_der_x509_certificate(real).tbs_certificate_bytes
    head = 2 + (signed[1] & 0x7F if signed[1] & 0x80 else 0)
    other = part(0x30, signed[head:].replace(own, key))
    return in_pem(part(0x30, other, real[real.index(signed) + len(signed) :]))


def private_rsa(written: PrivateFormat) -> str:
    public = 65537
    secret = pow(public, -1, (PRIME - 1) * (OTHER - 1))
    numbers = rsa.RSAPrivateNumbers(
        *(PRIME, OTHER, secret, secret % (PRIME - 1), secret % (OTHER - 1), pow(OTHER, -1, PRIME)),
        rsa.RSAPublicNumbers(public, PRIME * OTHER),
    )
    key = numbers.private_key(unsafe_skip_rsa_key_validation=True)
    return key.private_bytes(Encoding.PEM, written, NoEncryption()).decode()


def behind(public: str, private: str) -> str:
    """Return a text that looks like a public key, with a private one behind it."""
    return f"{public}{private}"


TEXTS: list[Callable[[], str]] = [
    lambda: in_pem(public_of(0), "PUBLIC KEY"),
    lambda: in_pem(public_of(1), "PUBLIC KEY"),
    lambda: in_pem(public_of(0), "RSA PUBLIC KEY"),
    lambda: base64.b64encode(public_of()).decode(),
    certificate,
    lambda: behind(pair("ed25519").public, private_rsa(PrivateFormat.OpenSSH)),
    lambda: behind(pair("ecdsa").public, private_rsa(PrivateFormat.OpenSSH)),
    lambda: behind(pair("rsa").public, private_rsa(PrivateFormat.OpenSSH)),
    lambda: private_rsa(PrivateFormat.PKCS8),
]


@pytest.mark.parametrize("text", TEXTS)
def test_one_that_is_saved_costs_nothing(text: Callable[[], str]) -> None:
    """In a rule it would be loaded at every start again."""
    secret = text()
    with effort_below(SECONDS):
        for kind in ("rsa", "rsa-pss", "ecdsa", "ed25519", "jwt"):
            fields = {"scheme": "custom", "header": "X-Proof", "audience": "us", "type": kind, "secret": secret}
            with contextlib.suppress(ValidationError):  # a key with another behind it is taken for what stands first
                SignatureConfig.model_validate(fields)


@pytest.mark.parametrize("text", TEXTS)
def test_one_that_is_published_costs_nothing(text: Callable[[], str]) -> None:
    published = text()
    with effort_below(SECONDS), contextlib.suppress(ValueError):
        check_published_keys(published)


def test_certificates_of_it_are_refused() -> None:
    """Of a provider, which the rule fetches, and of a client, which a proxy passes on."""
    root = Authority()
    chain = root.issue(pair("ecdsa").key.public_key(), "client.example.com", client=True) + certificate()
    with effort_below(SECONDS):
        with pytest.raises(SignatureRefusal, match="of a kind that is not used here"):
            key_of(certificate(), (), (), NOW)
        for text in (certificate(), certificate() + root.pem, chain):
            with pytest.raises(SignatureRefusal, match="does not count"):
                check_client(text, [Authority().pem], "", NOW)


def test_nothing_is_signed_with_a_key_for_agreements() -> None:
    for kind in (0, 1):
        with effort_below(SECONDS), pytest.raises(ValueError, match="a private key in PEM is needed"):
            sign_by_key(SignatureConfig.model_validate(ECDSA).to_scheme(), b"", private_of(kind))


ECDSA = {"scheme": "custom", "type": "ecdsa", "header": "X-Proof", "secret": pair("ecdsa").public}


@pytest.mark.anyio
@pytest.mark.parametrize("kind", ["rsa", "ecdsa", "jwt"])
async def test_the_server_signs_no_sample_with_a_key_of_rsa(kind: str) -> None:
    """Even a usual one holds everybody up for a tenth of a second; the command line has it signed where one sits."""
    signature = {"scheme": "custom", "type": kind, "header": "X-Proof", "audience": "us", "secret": "***"}
    async with running_app() as app:
        for written in (PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL):
            fields = {"signature": signature, "secret": private_rsa(written), "url": "http://bpm.test/", "body": "{}"}
            with effort_below(SECONDS), pytest.raises(ServerRefused, match="bpm sign --private-key"):
                await app.cmd("SignSampleRequestQuery", **fields)
