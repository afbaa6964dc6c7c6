"""What a subscription sends to its receiver goes to nobody else, and comes back from nowhere."""

import base64
from pathlib import Path
from typing import Any

import pytest

from bpm.errors import Invalid
from bpm.events.attempt_result import AttemptResult
from bpm.events.credential_redaction import redact_echoed_credentials
from bpm.events.headers import header_problems
from bpm.settings import Settings
from tests.commands.sender import MessageSender
from tests.effort import effort_below

HEADERS = {"Authorization": "Bearer canary-4711", "X-Api-Key": "canary-4712"}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """No probe: the receivers of these tests do not exist."""
    delivery: Any = {"probe": "off"}
    return Settings(data_dir=tmp_path, delivery=delivery)


async def subscribed(sender: MessageSender, url: str = "https://example.com/in") -> int:
    made = await sender.send("CreateSubscriptionCommand", url=url, events=["*"], headers=HEADERS)
    return made["id"]


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/in",
        "https://example.com:8443/in",
        "https://in.example.com/in",
        "https://example.com.example.org/in",
        "https://example.org/https://example.com/in",
    ],
)
@pytest.mark.parametrize("headers", [None, {"Authorization": "***"}, {"authorization": "***", "X-New": "n"}])
async def test_sealed_headers_stay_with_their_receiver(
    sender: MessageSender, url: str, headers: dict[str, str] | None
) -> None:
    """A URL of another origin needs every header again: whoever changes it must know what it will be sent."""
    id_ = await subscribed(sender)
    with pytest.raises(Invalid, match="former receiver"):
        await sender.send_fields(
            "UpdateSubscriptionCommand", {"id": id_, "url": url, **({"headers": headers} if headers else {})}
        )
    changed = await sender.send("UpdateSubscriptionCommand", id=id_, url=url, headers={"X-New": "n"})
    assert (changed["url"], changed["headers"]) == (url, {"X-New": "***"})


@pytest.mark.parametrize(
    "url", ["https://example.com/other", "https://EXAMPLE.com:443/in?a=1", "https://example.com./"]
)
async def test_another_path_of_the_same_receiver_keeps_them(sender: MessageSender, url: str) -> None:
    """Scheme, host and port make a receiver, however they are spelt."""
    id_ = await subscribed(sender)
    changed = await sender.send("UpdateSubscriptionCommand", id=id_, url=url)
    assert set(changed["headers"]) == set(HEADERS)


async def test_a_token_in_the_url_is_not_shown(sender: MessageSender) -> None:
    """Secret parameters are stars in every answer, and sending the answer back keeps them."""
    id_ = await subscribed(sender, "https://example.com/in?token=canary-4713&a=1")
    shown = await sender.send("GetSubscriptionByIdQuery", id=id_)
    assert shown["url"] == "https://example.com/in?token=***&a=1"
    await sender.send("UpdateSubscriptionCommand", id=id_, url=shown["url"], description="again")
    again = await sender.send("UpdateSubscriptionCommand", id=id_, url="https://example.com/in?token=other-4714")
    assert again["url"] == "https://example.com/in?token=***"


TRUSTED_BY_OTHERS = """X-Real-IP x-real_ip Metadata-Flavor Metadata X-Google-Metadata-Request X-aws-ec2-metadata-token
X-Original-URL X-Rewrite-URL X-HTTP-Method-Override X-HTTP-Method X-Method-Override X-Forwarded-For X-Forwarded
X_Forwarded_For Forwarded True-Client-IP CF-Connecting-IP X-Client-IP X-Host Connection Keep-Alive TE Trailer Upgrade
Transfer-Encoding Proxy-Connection Host HTTP2-Settings"""


@pytest.mark.parametrize("name", TRUSTED_BY_OTHERS.split())
def test_no_header_speaks_for_a_proxy_or_a_metadata_service(name: str) -> None:
    """Headers that proxies, frameworks or a cloud's metadata service trust can't be chosen, however spelt."""
    assert len(list(header_problems({name: "x"}))) == 1


def test_no_form_of_an_echoed_credential_is_kept() -> None:
    """A receiver may send a credential back as it is, decoded, encoded, escaped, or cut off at the end."""
    secret = 'u:canary/4711+"x'
    word = base64.b64encode(secret.encode()).decode()
    forms = [
        word,
        secret,
        'canary/4711+"x',
        base64.b64encode(word.encode()).decode(),
        word.encode().hex(),
        word[:12],
    ]
    for form in forms:
        kept = redact_echoed_credentials(
            AttemptResult(status=200, headers={"x-echo": form}, body=f"you sent {form}"), [f"Basic {word}"]
        )
        assert form not in f"{kept.headers} {kept.body}"


@pytest.mark.parametrize("cut", [18, 14, 10])
def test_a_credential_in_an_answer_that_is_no_http_is_not_kept(cut: int) -> None:
    """The sentence about it repeats what came, perhaps cut off in the middle."""
    said = f"the answer is not HTTP/1.1 (Invalid header token: b'Bearer {'canary-4711-abcdef'[:cut]}...')"
    kept = redact_echoed_credentials(AttemptResult(error=said), ["Bearer canary-4711-abcdef"])
    assert kept.error is not None
    assert "canary" not in kept.error
    assert "not HTTP/1.1" in kept.error


def test_the_name_of_a_header_repeats_no_credential() -> None:
    """Names are kept in lower case."""
    kept = redact_echoed_credentials(AttemptResult(status=200, headers={"x-canary-4711": "a"}), ["X-Canary-4711"])
    assert list(kept.headers) == ["***"]


@pytest.mark.parametrize("words", [1, 3])
def test_looking_for_credentials_takes_a_moment(words: int) -> None:
    """Long headers against a long answer that nearly repeats them; before, this held the event loop for seconds."""
    credentials = [" ".join(f"{'a' * (1_980 // words)}{number}{word}" for word in range(words)) for number in range(20)]
    answer = AttemptResult(status=500, headers={f"h{number}": "a" * 500 for number in range(40)}, body="a" * 4_096)
    with effort_below(2):
        assert str(redact_echoed_credentials(answer, credentials).body).endswith("***")


def test_nothing_is_kept_where_too_many_words_are_secrets() -> None:
    """Only the status and the time to come again."""
    words = [" ".join(f"canary{number}{word}" for word in range(100)) for number in range(20)]
    answer = AttemptResult(status=503, headers={"x-echo": words[0], "retry-after": "7"}, body=words[1])
    kept = redact_echoed_credentials(answer, words)
    assert (kept.status, kept.headers) == (503, {"retry-after": "7"})
    assert "canary" not in str(kept.body)


@pytest.mark.parametrize(
    ("words", "found"), [("example.com/in", 1), ("a=1", 0), ("canary", 0), ("token=c", 0), ("?", 0)]
)
async def test_a_token_in_the_url_is_not_found_by_searching(sender: MessageSender, words: str, found: int) -> None:
    """Who sees stars must not find the letters behind them one by one."""
    await subscribed(sender, "https://example.com/in?token=canary-4713&a=1")
    assert (await sender.send("GetSubscriptionListQuery", searchText=words))["totalCount"] == found


async def test_urls_are_not_sorted_by_their_tokens(sender: MessageSender) -> None:
    """A subscription of one's own beside it would tell which token is greater."""
    for token in ("b", "c", "a"):
        await subscribed(sender, f"https://example.com/in?token={token}")
    listed = await sender.send("GetSubscriptionListQuery", sortBy="url", sortDirection="asc")
    assert [item["id"] for item in listed["items"]] == [1, 2, 3]


TRANSFORMS: list[dict[str, Any]] = [
    {"template": {"data": "{{data}}", "auth": {"password": "canary-4715"}}},
    {"template": {"tokens": ["canary-4715"]}},
    {"script": "token = 'canary-4715'\nreturn {'token': token}"},
]


@pytest.mark.parametrize("transform", TRANSFORMS)
async def test_secrets_in_a_transform_stay_with_their_receiver(
    sender: MessageSender, transform: dict[str, Any]
) -> None:
    """A URL of another origin needs them again: whoever changes it must know what it will be sent."""
    fields: dict[str, Any] = {"url": "https://example.com/in", "events": ["*"], "transform": transform}
    id_ = (await sender.send("CreateSubscriptionCommand", **fields))["id"]
    elsewhere = {"id": id_, "url": "https://example.org/in"}
    shown = (await sender.send("GetSubscriptionByIdQuery", id=id_))["transform"]
    with pytest.raises(Invalid, match="former receiver"):
        await sender.send_fields("UpdateSubscriptionCommand", elsewhere)
    if "template" in transform:
        assert "canary" not in str(shown)
        with pytest.raises(Invalid, match="former receiver"):
            await sender.send_fields("UpdateSubscriptionCommand", {**elsewhere, "transform": shown})
    await sender.send_fields(
        "UpdateSubscriptionCommand", {"id": id_, "url": "https://example.com/b", "transform": shown}
    )
    assert (await sender.send_fields("UpdateSubscriptionCommand", {**elsewhere, "transform": transform}))["id"] == id_


async def test_a_transform_can_not_be_moved_in_two_steps(sender: MessageSender) -> None:
    """Stars keep what is stored in their place alone, and only while it is there."""
    fields: dict[str, Any] = {"url": "https://example.com/in", "events": ["*"], "transform": TRANSFORMS[0]}
    id_ = (await sender.send("CreateSubscriptionCommand", **fields))["id"]
    for template in ({"password": "***"}, {"auth": {"password": ["***"]}}, {"auth": {"token": "***"}}):
        with pytest.raises(Invalid, match="none is stored"):
            await sender.send_fields("UpdateSubscriptionCommand", {"id": id_, "transform": {"template": template}})
    with pytest.raises(Invalid, match="former receiver"):
        await sender.send("UpdateSubscriptionCommand", id=id_, url="https://example.org/in", description="moved")
    await sender.send("UpdateSubscriptionCommand", id=id_, transform=None)
    await sender.send("UpdateSubscriptionCommand", id=id_, url="https://example.org/in")
    stars = {"template": {"auth": {"password": "***"}}}
    with pytest.raises(Invalid, match="none is stored"):
        await sender.send("UpdateSubscriptionCommand", id=id_, transform=stars)
