"""Somebody is woken because a payment did nothing: from the overview each cause is reached in three actions at most.

Six requests fail in six ways. What is known of each is a word of its body. An action is what one does without
looking in between: a word typed into the palette, a line chosen, a link followed; all by keyboard.
"""

from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Page, expect

from bpm.testing import ServerProcess
from tests.console.conftest import PUBLISH
from tests.console.test_screens import visit

pytestmark = pytest.mark.anyio

ONCE = {"attempts": 1, "backoffSeconds": [0.0]}
SIGNED = {"signature": {"scheme": "github", "secret": "a-secret-of-the-rule"}}


async def wrong_secret(server: ServerProcess, word: str) -> None:
    """The sender signs with another secret than the rule's."""
    await server.rule("night-signed", **PUBLISH, **SIGNED)
    signed = {"x-hub-signature-256": f"sha256={'0' * 64}", "x-github-event": "push", "x-github-delivery": word}
    await server.hook("night-signed", {"customer": word}, signed)


async def disabled_rule(server: ServerProcess, word: str) -> None:
    """Somebody switched the rule off."""
    rule = await server.rule("night-off", **PUBLISH)
    await server.cmd("DeactivateWebHookConfigCommand", id=rule["id"])
    await server.hook("night-off", {"customer": word})


async def wrong_path(server: ServerProcess, word: str) -> None:
    """The sender has another address than any rule."""
    await server.hook("night-payments/old", {"customer": word})


async def failing_command(server: ServerProcess, word: str) -> None:
    """The rule's command refuses what it is given."""
    wrong = {"commandName": "ActivateSubscriptionCommand", "parameters": {"id": "{{payload.subscription}}"}}
    await server.rule("night-command", **wrong, retry=ONCE)
    await server.hook("night-command", {"customer": word, "subscription": 987_654})


async def script_error(server: ServerProcess, word: str) -> None:
    """The rule's script reads what is not there."""
    code = 'total = 0\nreturn payload["amount"] + total\n'
    await server.rule("night-script", executionType=2, executionCode=code, retry=ONCE)
    await server.hook("night-script", {"customer": word})


async def duplicate(server: ServerProcess, word: str) -> None:
    """The sender sends the same a second time, so nothing happens a second time."""
    await server.rule("night-twice", **PUBLISH, deduplication="body:number")
    for _ in range(2):
        await server.hook("night-twice", {"number": 1, "customer": word})


CASES: dict[str, tuple[Callable[[ServerProcess, str], Awaitable[None]], str]] = {
    "Nightingale": (wrong_secret, "the signature does not match the body and the secret"),
    "Tawnyowl": (disabled_rule, "the configuration is not active"),
    "Nightjar": (wrong_path, "no configuration has the path or key 'night-payments/old'"),
    "Stonecurlew": (failing_command, "No subscription found with the specified ID"),
    "Corncrake": (script_error, "line 2, column 8, error: KeyError: 'amount'"),
    "night-twice": (duplicate, "It repeats a request that was executed already"),
}
"""A word that is known of each, what brings it about, and the cause as it stands on the last screen."""


async def looked_up(page: Page, word: str) -> None:
    """Two actions: search the word from the palette, then open the newest line."""
    await page.keyboard.press("Control+k")
    await page.keyboard.type(word)
    await page.get_by_role("option", name=f"Requests that hold “{word}”", selected=True).wait_for()
    await page.keyboard.press("Enter")
    await page.locator("tbody tr").first.wait_for()
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")


async def test_each_cause_is_found_by_a_word(signed_in: Page, server: ServerProcess) -> None:
    """Two actions by keyboard lead from the overview to the sentence that says why nothing happened."""
    page = signed_in
    for word, (bring_about, _) in CASES.items():
        await bring_about(server, word)
    await server.settled()
    for word, (_, cause) in CASES.items():
        await visit(page, server, "overview")
        await looked_up(page, word)
        await expect(page.locator("main .notice")).to_contain_text(cause)


async def test_the_overview_names_the_reasons(signed_in: Page, server: ServerProcess) -> None:
    """The newest reason is read at once, and one action leads to the newest request that failed for it."""
    page = signed_in
    await server.rule("night-reason", executionType=2, executionCode='return payload["night"]\n', retry=ONCE)
    await server.hook("night-reason", {"customer": "Shoveler"})
    await server.settled()
    await page.get_by_role("button", name="Ask again").click()
    reason = page.locator(".reasons > li", has_text="KeyError: 'night'")
    await reason.get_by_role("link").first.focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Body", exact=True)).to_contain_text("Shoveler")


async def test_a_wrong_signature_says_what_to_change(signed_in: Page, server: ServerProcess) -> None:
    """On the page of its request, with the way to its rule."""
    page = signed_in
    await server.rule("night-doctor", **PUBLISH, **SIGNED)
    signed = {"x-hub-signature-256": f"sha256={'0' * 64}", "x-github-event": "push", "x-github-delivery": "d-1"}
    await server.hook("night-doctor", {"customer": "Bittern"}, signed)
    await server.settled()
    (request,) = await server.requests(configKey="night-doctor")
    await visit(page, server, f"requests/{request['requestId']}")
    doctor = page.locator("section", has_text="Why the signature was refused")
    await expect(doctor.get_by_role("listitem").first).to_be_visible()
    await page.get_by_role("link", name="Look at its rule").click()
    await expect(page.locator("h1")).to_contain_text("night-doctor")


async def test_a_failed_request_stands_beside_a_good_one(signed_in: Page, server: ServerProcess) -> None:
    """What its body has otherwise than the newest of its rule that was done."""
    page = signed_in
    await server.rule("night-shape", executionType=2, executionCode='return payload["amount"]\n', retry=ONCE)
    await server.hook("night-shape", {"amount": 7, "currency": "NGN"})
    await server.settled()
    await server.hook("night-shape", {"amonut": 8, "currency": "NGN"})
    await server.settled()
    (dead,) = await server.requests(configKey="night-shape", state="dead")
    await visit(page, server, f"requests/{dead['requestId']}")
    await page.get_by_role("tab", name="Compare").click()
    differences = page.get_by_label("What differs from the newest that was done")
    await expect(differences.locator("del")).to_contain_text("amount: 7")
    await expect(differences.locator("ins")).to_contain_text("amonut: 8")
