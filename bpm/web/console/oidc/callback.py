"""`GET /console/api/oidc/callback`: the provider leads the browser back, with a code or a refusal."""

from urllib.parse import parse_qsl

import structlog
from starlette.types import Receive, Scope, Send

from bpm.accounts import Accounts
from bpm.accounts.browser_sessions import BrowserCaller, OpenedSession
from bpm.accounts.id_tokens import IdTokenError
from bpm.accounts.provider_claims import TooManyGroups
from bpm.accounts.single_sign_on import SignInProblem
from bpm.clock import Clock
from bpm.edge.answer import NO_STORE, Answer, send_answer
from bpm.edge.error_boundary import answer_or_problem
from bpm.edge.request import Incoming, IncomingReader
from bpm.errors import Forbidden, Malformed, MethodNotAllowed, NotFound, Unavailable
from bpm.security.net import group_of
from bpm.security.rate_limiter import RateLimit, RateLimiter
from bpm.security.secrets import SecretBox
from bpm.settings import Settings
from bpm.web.console.browser_request import browser_caller, session_cookie_at
from bpm.web.console.oidc.cookie import pending_cookie
from bpm.web.console.oidc.pending import PendingSignIn
from bpm.web.console.oidc.provider import SignOnProvider

log = structlog.get_logger("bpm.oidc")

CONSOLE = "../../"
"""From the callback to the page, whatever path a proxy puts before ours; nothing in a request changes it."""
MAX_FIELDS = 20
AT_ONCE = 8
"""How many codes the provider is asked about at once; more are refused, and can be tried again."""
ADDRESS = RateLimit(20, 3.0)
"""Codes from one address, or one /64 of IPv6."""


class CallbackEndpoint:
    """Ends a single sign-on: leads on to the console, signed in or with the name of the problem."""

    def __init__(
        self, settings: Settings, accounts: Accounts, provider: SignOnProvider, box: SecretBox, clock: Clock
    ) -> None:
        """Take the parts; the clock tells how old a sign-in is."""
        self._settings = settings
        self._sign_on = accounts.single_sign_on
        self._provider = provider
        self._box = box
        self._clock = clock
        self._incoming = IncomingReader(settings)
        self._pending = pending_cookie(settings)
        self._limiter = RateLimiter()
        self._under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; a client that went away gets none."""
        request = self._incoming(scope, receive)
        answer = await answer_or_problem(request.request_id, self._answer(request, scope["query_string"]))
        if answer is not None:
            await send_answer(
                send, answer.with_headers(NO_STORE, ("referrer-policy", "no-referrer")), request.request_id
            )

    async def _answer(self, request: Incoming, query: bytes) -> Answer:
        if request.method != "GET":
            raise MethodNotAllowed(request.method, "GET")
        if self._settings.oidc.issuer is None:
            raise NotFound("there is no single sign-on here; BPM_OIDC__ISSUER sets it up")
        modes = request.headers.get("sec-fetch-mode"), request.headers.get("sec-fetch-dest")
        if modes != ("navigate", "document"):
            raise Forbidden("a browser comes here by itself, led back by the provider")
        fields = _fields(query)
        pending = PendingSignIn.opened(self._pending.read(request), fields.get("state", ""), self._box, self._clock())
        if pending is None:  # the cookie stays: another sign-in of this browser may be under way
            return _leading_on(SignInProblem.STALE)
        came_to = await self._enter(request, fields, pending)
        forget = self._pending.taking_back()
        if isinstance(came_to, OpenedSession):
            session = session_cookie_at(self._settings.base_url)
            return _leading_on(None, forget, session.giving(came_to.cookie))
        return _leading_on(came_to, forget)

    async def _enter(
        self, request: Incoming, fields: dict[str, str], pending: PendingSignIn
    ) -> OpenedSession | SignInProblem:
        caller = browser_caller(request)
        wait = self._limiter.take(group_of(caller.address), ADDRESS)
        if wait or self._under_way >= AT_ONCE:
            return SignInProblem.BUSY
        self._under_way += 1
        try:
            return await self._exchange(fields, pending, caller)
        except TooManyGroups as error:
            log.warning("single sign-on refused", reason=str(error), address=caller.address)
            return SignInProblem.GROUPS
        except IdTokenError as error:
            log.warning("single sign-on refused", reason=str(error), address=caller.address)
            return SignInProblem.UNPROVEN
        except Unavailable as error:
            log.warning("single sign-on failed", reason=str(error), address=caller.address)
            return SignInProblem.UNAVAILABLE
        finally:
            self._under_way -= 1

    async def _exchange(
        self, fields: dict[str, str], pending: PendingSignIn, caller: BrowserCaller
    ) -> OpenedSession | SignInProblem:
        """Ask the provider about the code, unless the answer comes from another one (RFC 9207)."""
        must_name_itself = (await self._provider.metadata()).names_itself
        if fields.get("iss", "" if must_name_itself else self._provider.issuer) != self._provider.issuer:
            raise IdTokenError("the answer in the browser is of another issuer (iss)")
        code = fields.get("code", "")
        if "error" in fields or not code:
            log.warning("single sign-on refused", reason=fields.get("error", "no code")[:100], address=caller.address)
            return SignInProblem.REFUSED
        token = await self._provider.exchange(code, pending)
        return await self._sign_on.sign_in(token, pending.hash, caller)


def _leading_on(problem: SignInProblem | None, *cookies: tuple[str, str]) -> Answer:
    place = CONSOLE if problem is None else f"{CONSOLE}?problem={problem}"
    return Answer(303, b"", headers=(("location", place), *cookies))


def _fields(query: bytes) -> dict[str, str]:
    """Return the fields of the query; raises `Malformed` for one that stands twice: each program takes another."""
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError as error:
        raise Malformed(f"the query can't be read: {error}") from None
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise Malformed("a field stands twice in the query")
    return fields
