"""The checks of a request against one rule, each with its verdict."""

from bpm.errors import Malformed, NotFound, TooLarge, Unavailable, UnsupportedMedia, Unverified
from router.decision.verdict import EXPIRED, KEYS, PASSED, SIGNATURE, Verdict, address_refused, method_refused, unusable
from router.expansion import CodingError, TooLargeExpanded
from router.mapping import CharsetError
from router.request import InboundCall
from router.rule import Rule

KEY_SECONDS = 5
"""After how many seconds a request is welcome again whose key had to be fetched first."""


def check_head(rule: Rule, call: InboundCall) -> Verdict:
    """Judge what is known before the body is read."""
    if not rule.enabled:
        return Verdict("disabled", rule.disabled_because, NotFound("There is no webhook here"))
    if not rule.answers_at(call.received_at):
        return Verdict(EXPIRED, f"the configuration expired at {rule.expires_at}", NotFound("There is no webhook here"))
    if call.method not in rule.methods:
        return method_refused(call.method, rule.methods)
    if rule.addresses is not None and not rule.addresses.allows(call.address):
        return address_refused(call.address)
    return PASSED


def check_whole(rule: Rule, call: InboundCall) -> Verdict:
    """Judge a request with its body: the rule works, the signature over the raw bytes is right, the form is legible."""
    if rule.broken is not None:
        return unusable(rule.broken)
    verdict = check_signature(rule, call)
    return check_form(call) if verdict.passed else verdict


def check_signature(rule: Rule, call: InboundCall) -> Verdict:
    """Judge the signature alone, of a new request or of one that was stored."""
    found = rule.verify(call)
    if found is None or found.ok:
        return PASSED
    if found.is_pending:
        again = Unavailable("The provider's key is being fetched; send the request again", retry_after=KEY_SECONDS)
        return Verdict(KEYS, found.cause, again)
    if found.is_ours:
        return unusable(found.cause)
    return Verdict(SIGNATURE, found.cause, Unverified("The signature is missing or wrong"))


def check_form(call: InboundCall) -> Verdict:
    """Refuse a body that is not what its headers say; nothing else looks at it again."""
    try:
        _ = call.payload, call.query
    except TooLargeExpanded as error:
        return Verdict("size", str(error), TooLarge(str(error)))
    except (CharsetError, CodingError) as error:
        return Verdict("malformed", str(error), UnsupportedMedia(str(error)))
    except ValueError as error:
        return Verdict("malformed", str(error), Malformed(str(error)))
    return PASSED


def may_greet(rule: Rule, call: InboundCall, *, is_taken: bool) -> bool:
    """Tell whether a rule may hear a request as a provider's question.

    A request is heard by the rule that takes it, from where that rule allows; where none takes its method, by any.
    Meta's question proves itself by the verify token, so a rule beside may hear it, too.
    """
    handshake = rule.fields.handshake
    if handshake is None or handshake.kind == "confirm" or not rule.answers_at(call.received_at):
        return False
    is_meant = call.method in rule.methods or not is_taken or handshake.kind == "meta"
    return is_meant and (rule.addresses is None or rule.addresses.allows(call.address))
