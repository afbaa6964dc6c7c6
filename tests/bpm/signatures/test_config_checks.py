"""What a signature's configuration lacks, and what of it is accepted but looks wrong, is told in a sentence each."""

from typing import Any

import pytest
from pydantic import ValidationError

from bpm.signatures import SignatureConfig

SECRET = "a secret of the provider, number 0815"
CUSTOM = {"scheme": "custom", "header": "X-Signature", "secret": SECRET}


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"secrets": [{"name": "a", "secret": SECRET}] * 2}, "each of the secrets needs a name of its own"),
        ({"username": "ann"}, "username is required with the scheme basic, and only there"),
        ({"type": "certificate"}, "certificate can only be the type of a preset"),
        ({"signatureIn": "query:sig"}, "header is required with the scheme custom, or signatureIn in its place"),
        ({"keysUrl": "https://example.com/keys"}, "keysUrl can only be set with the type jwt"),
        ({"type": "jwt", "encoding": "text"}, "audience or bodyClaim is required with the type jwt"),
        ({"type": "rsa", "hash": "sha1"}, "hash can't be sha1 for signatures by a public key"),
        ({"signedContent": "{message}", "hash": "sha1"}, "goes with the types and hashes of RFC 9421"),
        ({"signedContent": "{message}"}, "header must be Signature where signedContent is {message}"),
        ({"signedContent": "{message}", "header": "Signature", "prefix": "v1="}, "prefix and between can't be set"),
        (
            {"signedContent": "{timestamp}{body}", "timestampHeader": "T", "inside": "t="},
            "timestampHeader and inside exclude each other",
        ),
        (
            {"signedContent": "{timestamp}{body}", "timestampHeader": "T", "timestampIn": "header:T2"},
            "a timestamp and an id have one place each",
        ),
        ({"signedContent": "{secret}{body}"}, "signedContent with {secret} and the type hash go together"),
        ({"signedContent": "{id}.{body}", "idHeader": "x-signature"}, "must be different headers"),
        ({"prefix": " v1="}, "prefix can't begin with a blank"),
        (
            {"signedContent": "{timestamp}{body}", "inside": "v1=", "prefix": "v1="},
            "inside and prefix must be different",
        ),
        ({"type": "static", "encoding": "text", "secret": f" {SECRET}"}, "the secret can't be sent in a header"),
    ],
)
def test_a_custom_scheme_that_can_never_match_is_refused(fields: dict[str, Any], sentence: str) -> None:
    """Each sentence says what to change."""
    with pytest.raises(ValidationError) as caught:
        SignatureConfig.model_validate({**CUSTOM, **fields})
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"scheme": "github", "secret": SECRET, "header": "X"}, "header can only be set with the scheme custom"),
        ({"scheme": "google-pubsub", "claims": {"email": "a@example.com"}}, "audience is required"),
    ],
)
def test_what_a_preset_already_says_is_not_said_again(fields: dict[str, Any], sentence: str) -> None:
    """Nor is anything left out that it can't know."""
    with pytest.raises(ValidationError) as caught:
        SignatureConfig.model_validate(fields)
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"hash": "sha1"}, "SHA-1 is weak"),
        ({"toleranceSeconds": 60}, "toleranceSeconds has no effect"),
        ({"signedContent": "{method}{form sorted}"}, "nothing separates the fields of a form"),
        ({"type": "hash", "signedContent": "{secret}{body}"}, "a plain digest that begins with the secret"),
        (
            {"type": "static", "encoding": "text", "signedContent": "{id}.{body}", "idHeader": "X-Id"},
            "a static secret covers neither timestamp nor id",
        ),
        ({"type": "jwt", "encoding": "text", "audience": "us"}, "the token says nothing about the body"),
    ],
)
def test_what_looks_wrong_is_a_warning(fields: dict[str, Any], sentence: str) -> None:
    """It is accepted, because a provider may leave no choice."""
    warnings = list(SignatureConfig.model_validate({**CUSTOM, **fields}).warnings())
    assert any(sentence in warning for warning in warnings), warnings
