"""Signature schemes as data: what a provider signs, how, and in which header it says so."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["none", "static", "hmac", "standard"]
Hash = Literal["sha1", "sha256", "sha384", "sha512"]
Encoding = Literal["hex", "base64", "text"]
KeyDecoding = Literal["raw", "hex", "base64", "whsec"]

DIGEST_SIZES: dict[Hash, int] = {"sha1": 20, "sha256": 32, "sha384": 48, "sha512": 64}
FIVE_MINUTES = 300


@dataclass(frozen=True, slots=True)
class Scheme:
    """How one provider proves that a request is its own.

    `static` compares the header with the secret itself, `hmac` with a digest of `signed_content`; `standard`
    is an hmac whose header holds several signatures between blanks, as in Standard Webhooks. The header is
    `prefix` and the `encoding` of the signature. The timestamp, in seconds since 1970, stands in
    `timestamp_header`, or in the signature's header after the mark `inside`, as in `t=1,v1=…`.
    `deduplication` names where the provider's own id of a delivery stands, most preferred first; `event_name` where the
    name of the event does, if deliveries of several events may share an id. `secret_fields` are fields of
    the body that are a secret of the sender's, too.
    """

    name: str
    kind: Kind
    header: str = ""
    hash: Hash = "sha256"
    encoding: Encoding = "hex"
    prefix: str = ""
    signed_content: str = "{body}"
    timestamp_header: str = ""
    inside: str = ""
    id_header: str = ""
    tolerance_seconds: int = FIVE_MINUTES
    key_decoding: KeyDecoding = "raw"
    username: str = ""
    also: "Scheme | None" = None
    deduplication: tuple[str, ...] = ()
    event_name: str = ""
    secret_fields: frozenset[str] = frozenset()

    @property
    def proving_headers(self) -> frozenset[str]:
        """The headers, in lower case, that carry the secret itself or a signature."""
        own = frozenset({self.header.lower()} if self.header else ())
        return own | self.also.proving_headers if self.also is not None else own

    @property
    def has_timestamp(self) -> bool:
        """Whether a request says when it was signed."""
        return bool(self.timestamp_header or self.inside)

    @property
    def separator(self) -> str:
        """What stands between several signatures in one header; empty if there is only one."""
        return " " if self.kind == "standard" else "," if self.inside else ""


def _standard(prefix: str, also: Scheme | None = None) -> Scheme:
    return Scheme(
        "standard-webhooks",
        "standard",
        f"{prefix}-signature",
        encoding="base64",
        prefix="v1,",
        signed_content="{id}.{timestamp}.{body}",
        timestamp_header=f"{prefix}-timestamp",
        id_header=f"{prefix}-id",
        key_decoding="whsec",
        also=also,
        deduplication=("standard-webhooks:id",),
    )


_SCHEMES = (
    # https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
    _standard("webhook", also=_standard("svix")),
    # https://docs.stripe.com/webhooks#verify-manually
    Scheme(
        "stripe",
        "hmac",
        "Stripe-Signature",
        prefix="v1=",
        inside="t=",
        signed_content="{timestamp}.{body}",
        deduplication=("body:id",),
    ),
    # https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
    Scheme("github", "hmac", "X-Hub-Signature-256", prefix="sha256=", deduplication=("header:x-github-delivery",)),
    # https://shopify.dev/docs/apps/build/webhooks: an event id is shared by the deliveries of several topics
    Scheme(
        "shopify",
        "hmac",
        "X-Shopify-Hmac-SHA256",
        encoding="base64",
        deduplication=("header:x-shopify-webhook-id", "header:x-shopify-event-id"),
        event_name="header:x-shopify-topic",
    ),
    # https://paystack.com/docs/payments/webhooks; no id of a delivery; a transfer and its reversal share a reference
    Scheme("paystack", "hmac", "x-paystack-signature", hash="sha512", event_name="body:event"),
    # https://developer.flutterwave.com/docs/webhooks; only version 4 numbers its deliveries
    Scheme("flutterwave-v3", "static", "verif-hash", encoding="text"),
    Scheme(
        "flutterwave-v4",
        "hmac",
        "flutterwave-signature",
        encoding="base64",
        deduplication=("body:webhook_id", "body:id"),
    ),
    # https://docs.mono.co/docs/webhooks
    Scheme("mono", "static", "mono-webhook-secret", encoding="text", deduplication=("body:event_id",)),
    Scheme(
        "plandocket",
        "hmac",
        "X-Webhook-Signature",
        prefix="v1=",
        timestamp_header="X-Webhook-Timestamp",
        signed_content="{timestamp}.{body}",
        deduplication=("header:webhook-id",),
    ),
    # https://docs.slack.dev/authentication/verifying-requests-from-slack
    Scheme(
        "slack",
        "hmac",
        "X-Slack-Signature",
        prefix="v0=",
        timestamp_header="X-Slack-Request-Timestamp",
        signed_content="v0:{timestamp}:{body}",
        deduplication=("body:event_id",),
        secret_fields=frozenset({"token"}),
    ),
    # https://developers.facebook.com/docs/graph-api/webhooks/getting-started
    Scheme("meta", "hmac", "X-Hub-Signature-256", prefix="sha256="),
    # Remita documents no signature: an address list, asking back, and at most a header agreed upon
    Scheme("remita", "static", encoding="text", deduplication=("body:[].rrr",)),
    # RFC 7617 and RFC 6750
    Scheme("basic", "static", "Authorization", encoding="base64", prefix="Basic "),
    Scheme("bearer", "static", "Authorization", encoding="text", prefix="Bearer "),
)

PRESETS: dict[str, Scheme] = {scheme.name: scheme for scheme in _SCHEMES}
"""Every scheme that a configuration may name, besides `none` and `custom`."""
