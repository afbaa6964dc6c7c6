"""The page of the four lives is true: each life enters the files of its table in their order."""

import re
import sys
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest

from bpm.testing import RunningApp, WebhookReceiver, running_app, until
from tests.commands import playing

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]
LIFE = re.compile(r"^## ((?:A|What) .+)$", re.MULTILINE)
STEP = re.compile(r"^\| \d+ \| `([\w./]+)` \|", re.MULTILINE)
SIGNED = {"scheme": "gitlab", "secret": "a secret of the provider"}


class Walk:
    """The files of the product that are entered, one after the other, in whatever thread."""

    def __init__(self) -> None:
        self.files: list[str] = []
        self._is_noting = False

    def __call__(self, frame: FrameType, event: str, _argument: object) -> None:
        """Take the place of a profiler."""
        file = frame.f_code.co_filename
        if self._is_noting and event == "call" and file.startswith(f"{ROOT}/"):
            self.files.append(file.removeprefix(f"{ROOT}/"))

    @contextmanager
    def noting(self) -> Generator[None]:
        """Note what is entered meanwhile, and nothing from before."""
        self.files, self._is_noting = [], True
        sys.setprofile(self)
        try:
            yield
        finally:
            sys.setprofile(None)
            self._is_noting = False

    def went(self, steps: Sequence[str]) -> str | None:
        """Return the first of these files or folders that was not entered after those before it."""
        at = 0
        for step in steps:
            at = next((n for n in range(at, len(self.files)) if self.files[n].startswith(step)), -1)
            if at < 0:
                return step
        return None


def lives() -> dict[str, list[str]]:
    """Return the steps of each life on the page."""
    page = (ROOT / "docs" / "explanation" / "lives.md").read_text()
    _, *parts = LIFE.split(page)
    return {title: STEP.findall(text) for title, text in zip(parts[::2], parts[1::2], strict=True)}


async def test_each_life_goes_the_way_that_is_drawn() -> None:
    """Each is lived once on a whole server; its files are entered in the order of the page."""
    walk, drawn = Walk(), lives()
    threading.setprofile(walk)  # of the threads that are started from now on
    try:
        async with WebhookReceiver() as receiver, running_app(delivery={"allowed_networks": "127.0.0.0/8"}) as app:
            missed = {
                "A command": await command(app, walk, drawn["A command"]),
                "A webhook": await webhook(app, walk, drawn["A webhook"]),
                "A delivery": await delivery(app, walk, drawn["A delivery"], receiver),
                "A step of a process": await process(app, walk, drawn["A step of a process"]),
            }
    finally:
        threading.setprofile(None)  # pyright: ignore[reportArgumentType] - the stub does not know it
    assert missed == dict.fromkeys(missed)


async def command(app: RunningApp, walk: Walk, steps: list[str]) -> str | None:
    with walk.noting():
        await app.cmd("PublishEventCommand", event="task.created", data={})
    return walk.went(steps)


async def webhook(app: RunningApp, walk: Walk, steps: list[str]) -> str | None:
    rule = await app.rule(
        "hooked", commandName="PublishEventCommand", parameters={"event": "x", "data": {}}, signature=SIGNED
    )
    with walk.noting():
        assert (await app.hook("hooked", {}, {"x-gitlab-token": SIGNED["secret"]})).status == 200
        await until(lambda: app.requests(configId=rule["id"], state="done"))
    return walk.went(steps)


async def delivery(app: RunningApp, walk: Walk, steps: list[str], receiver: WebhookReceiver) -> str | None:
    await app.cmd("CreateSubscriptionCommand", url=receiver.url, events=["task.created"])
    with walk.noting():
        await app.cmd("PublishEventCommand", event="task.created", data={})
        await until(lambda: app.cmd("GetDeliveryListQuery", state="delivered"), lambda page: page["items"])
    return walk.went(steps)


async def process(app: RunningApp, walk: Walk, steps: list[str]) -> str | None:
    await playing.deploy(app, "start s; catch t: timer PT0S; end e\ns -> t -> e")
    with walk.noting():
        await playing.start(app)
        await playing.instances(app, "p", 1)
    return walk.went(steps)
