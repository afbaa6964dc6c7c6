"""What is wrong with the `signature` of a configuration: what is missing, what could never match, what looks wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from . import signed_content
from .incoming_messages import ALGORITHMS, MESSAGE, SIGNATURE
from .keys import doubts, weakness
from .presets import PRESETS
from .proofs import FOR_EVER, open_key
from .scheme import SHARED, SHOWN, SIGNED_BY_KEY, KeyDecoding, Scheme

if TYPE_CHECKING:
    from .config import SignatureConfig

MAX_SECRETS = 10

HOW_TO_WRITE: dict[KeyDecoding, str] = {
    "raw": "text",
    "sha1": "text",
    "hex": "hexadecimal digits",
    "base64": "base64",
    "whsec": "base64, with or without whsec_ before it",
}


def complaints(config: SignatureConfig) -> Iterator[str]:
    """What is missing or too much, one sentence each."""
    if config.scheme == "custom":
        yield from _custom_complaints(config)
    else:
        yield from _preset_complaints(config)
    if len(config.all_secrets) > MAX_SECRETS:
        yield f"at most {MAX_SECRETS} secrets can count at once"
    names = [secret.name for secret in config.secrets if not isinstance(secret, str)]
    if len(set(names)) < len(names):
        yield "each of the secrets needs a name of its own"
    scheme = config.to_scheme()
    needed = [*signed_content.value_names(scheme.signed_content), *(name for _, name in scheme.pinned)]
    needed += signed_content.value_names(PRESETS[config.scheme].prefix) if config.scheme in PRESETS else []
    missing = [name for name in needed if name not in config.values]
    if missing:
        yield f"values.{missing[0]} is required: the provider signs for others, too"
    for secret in config.plain_secrets:
        key = open_key(scheme, secret, FOR_EVER)
        if isinstance(key, str):
            is_shared = scheme.kind in SHARED
            expected = f"the secret can't be decoded: {config.scheme} expects {HOW_TO_WRITE[scheme.key_decoding]}"
            yield expected if is_shared else key


def objections(config: SignatureConfig) -> Iterator[str]:
    """Why it may not be saved, though a configuration saved earlier goes on with it: one sentence each."""
    scheme = config.to_scheme()
    if scheme.kind == "none":
        return
    for secret in config.plain_secrets if scheme.kind in SHARED else ():
        if sentence := weakness(secret, scheme.key_decoding):
            yield sentence
        elif scheme.kind == "static" and scheme.encoding == "text" and not _fits_a_header(scheme.prefix, secret):
            yield "the secret can't be sent in a header: it has blanks around it, or control characters in it"
    if config.scheme == "custom":
        yield from signed_content.complaints(config.signed_content)
        yield from _never_matching(scheme)
        if not config.all_secrets and any(name.startswith("HS") for name in config.algorithms):
            yield "algorithms can't name HS256, HS384 or HS512 without a secret: what keysUrl publishes is none"


def warnings(config: SignatureConfig) -> Iterator[str]:
    """What is accepted, or was accepted once, but looks wrong: one sentence each."""
    yield from objections(config)
    scheme = config.to_scheme()
    for secret in config.plain_secrets if scheme.kind in SHARED else ():
        if not weakness(secret, scheme.key_decoding):
            yield from doubts(secret, scheme.key_decoding)
    if scheme.is_weak:
        yield "SHA-1 is weak: take another hash where the provider has one"
    if scheme.kind == "none" and config.scheme != "none":
        yield f"{config.scheme} signs nothing: set allowableIPs, a path that can't be guessed, or ask the provider back"
    if config.scheme == "custom":
        yield from _custom_doubts(config, scheme)


def _custom_doubts(config: SignatureConfig, scheme: Scheme) -> Iterator[str]:
    if config.type == "static" and scheme.encoding == "hex" and config.key_decoding == "raw":
        yield "the header must hold the bytes of the secret as hexadecimal digits; encoding text takes it as it is"
    if config.type == "static" and (scheme.has_timestamp or scheme.id_place):
        yield "a static secret covers neither timestamp nor id: whoever has it can set both"
    is_timed = scheme.has_timestamp or config.type in ("none", "jwt")
    if config.tolerance_seconds is not None and not is_timed:
        yield "toleranceSeconds has no effect without timestampHeader or inside"
    if config.type not in (*SHOWN, "none") and not _is_whole(config.signed_content):
        yield "the signature covers only a part of the body: whoever has seen a request can change the rest"
    if config.type == "hash" and config.signed_content.startswith("{secret}"):
        yield "a plain digest that begins with the secret can be extended: whoever has seen one can add to its body"
    if "{form sorted}" in config.signed_content:
        yield "nothing separates the fields of a form in what is signed: a part of one may be taken for another"
    if config.type == "jwt" and not config.body_claim:
        yield "the token says nothing about the body: whoever has seen a request can send another with its token"


def _preset_complaints(config: SignatureConfig) -> Iterator[str]:
    wire_names = {name: field.alias or name for name, field in type(config).model_fields.items()}
    for name in _custom_only():
        field = type(config).model_fields[name]
        if name in config.model_fields_set and getattr(config, name) != field.get_default(call_default_factory=True):
            yield f"{wire_names[name]} can only be set with the scheme custom"
    preset = PRESETS.get(config.scheme) or Scheme("none", "none")
    if config.header and not preset.is_header_agreed:
        yield "header can only be set with the scheme custom or remita"
    if preset.kind == "none" and config.scheme != "none" and config.all_secrets:
        yield f"secret can't be set with the scheme {config.scheme}, which signs nothing; leave it out"
    if preset.is_header_agreed and bool(config.header) != bool(config.all_secrets):
        yield f"header and secret go together with the scheme {config.scheme}"
    if not preset.is_header_agreed and preset.needs_keys and not config.all_secrets:
        yield "secret is required"
    if (preset.prefix == "Basic ") != bool(config.username):
        yield "username is required with the scheme basic and those that lean on it, as chargebee, and only there"
    yield from _unpinned(preset, config)


def _unpinned(preset: Scheme, config: SignatureConfig) -> Iterator[str]:
    """What a rule must say about a token because the same key signs for others, too."""
    for name in preset.required_claims:
        if name not in config.claims:
            yield f"claims.{name} is required with the scheme {config.scheme}: the same key signs for everybody"
    if preset.kind == "jwt" and not (preset.audience or preset.body_claim or config.audience):
        yield f"audience is required with the scheme {config.scheme}: tokens for others are signed by the same key"


def _custom_only() -> tuple[str, ...]:
    from .config import CUSTOM_ONLY

    return CUSTOM_ONLY


def _custom_complaints(config: SignatureConfig) -> Iterator[str]:
    if config.username:
        yield "username is required with the scheme basic, and only there"
    if config.type == "none":
        return
    if config.type == "certificate":
        yield "certificate can only be the type of a preset, which names the hosts of the certificates"
    if config.type != "mtls" and bool(config.header) == bool(config.signature_in):
        yield "header is required with the scheme custom, or signatureIn in its place"
    if not config.all_secrets and not config.keys_url:
        yield "secret is required"
    if config.keys_url and config.type != "jwt":
        yield "keysUrl can only be set with the type jwt"
    if config.signature_also_in and (
        config.inside or config.type in ("jwt", "mtls") or config.signed_content == MESSAGE
    ):
        yield "signatureAlsoIn can't be set with inside, the types jwt and mtls, or {message}: there is one signature"
    if config.type == "jwt" and not (config.audience or config.body_claim):
        yield "audience or bodyClaim is required with the type jwt: tokens for others are signed by the same key"
    if config.type in SIGNED_BY_KEY and config.hash == "sha1":
        yield "hash can't be sha1 for signatures by a public key"
    if config.type not in SHOWN and config.encoding == "text":
        yield "encoding must be hex, base64, base64-unpadded or base64url for a signature"
    if config.signed_content == MESSAGE:
        yield from _message_complaints(config)
    yield from _unpaired(config)


def _message_complaints(config: SignatureConfig) -> Iterator[str]:
    """What can't be said of a request that says itself what is signed of it."""
    if (config.type, config.hash) not in ALGORITHMS:
        known = ", ".join(f"{kind} with {name}" for kind, name in ALGORITHMS)
        yield f"signedContent {MESSAGE} goes with the types and hashes of RFC 9421: {known}"
    if (config.header or "").lower() != SIGNATURE:
        yield f"header must be Signature where signedContent is {MESSAGE}"
    if config.prefix or config.between:
        yield f"prefix and between can't be set where signedContent is {MESSAGE}"


def _unpaired(config: SignatureConfig) -> Iterator[str]:
    """What of a signed text and its places is there without the other."""
    places = [place for place in (config.timestamp_header, config.inside, config.timestamp_in) if place]
    if config.timestamp_header and config.inside:
        yield "timestampHeader and inside exclude each other"
    elif len(places) > 1 or (config.id_header and config.id_in):
        yield "a timestamp and an id have one place each: timestampHeader, inside or timestampIn; idHeader or idIn"
    is_in_body = "{body}" in config.signed_content and (config.timestamp_in or "").startswith("body:")
    is_listed = "{headers:" in config.signed_content and bool(config.timestamp_header)
    if ("{timestamp}" in config.signed_content) != bool(places) and not is_in_body and not is_listed:
        yield "signedContent with {timestamp} and timestampHeader (or inside) go together"
    if ("{id}" in config.signed_content) != bool(config.id_header or config.id_in):
        yield "signedContent with {id} and idHeader go together"
    if ("{secret}" in config.signed_content) != (config.type == "hash"):
        yield "signedContent with {secret} and the type hash go together"


def _is_whole(content: str) -> bool:
    """Whether all of a body is covered, or there may be none."""
    is_of_address = signed_content.covers_address(content) and not signed_content.covers_body(content)
    return is_of_address or any(
        word in content for word in ("{body}", "{message}", "{digest}", "{digest:sha", "{form sorted}")
    )


def _fits_a_header(prefix: str, secret: str) -> bool:
    """Whether a server gets this text from a header: blanks around a value are no part of it (RFC 9110, 5.5)."""
    value = prefix + secret
    return value == value.strip() and not any(ord(character) < 0x20 or ord(character) == 0x7F for character in value)


def _never_matching(scheme: Scheme) -> Iterator[str]:
    """Why no request could ever be right by a scheme."""
    named = (*scheme.signature_places, scheme.timestamp_place, scheme.id_place)
    places = [place.lower() for place in named if place]
    if len(set(places)) < len(places):
        yield "header, timestampHeader and idHeader must be different headers"
    if scheme.prefix != scheme.prefix.lstrip():
        yield "prefix can't begin with a blank: blanks before a header's value are no part of it"
    for name, text in (("prefix", scheme.prefix), ("inside", scheme.inside)):
        if scheme.separator and scheme.separator in text:
            yield f"{name} can't hold {scheme.separator!r}, which stands between the parts of the header"
    if scheme.inside and scheme.inside == scheme.prefix:
        yield "inside and prefix must be different"
