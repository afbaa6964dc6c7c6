"""Which installation it is stands on every page and in the name of the window."""

import pytest
from playwright.async_api import Browser, expect

from bpm.testing import ServerProcess, running_app
from tests.console.conftest import sign_in
from tests.console.test_screens import faults

pytestmark = pytest.mark.anyio

NAME = 'Bank "A" <production>'


async def test_its_name_is_a_text_of_the_page() -> None:
    """Whatever it is; without one the page says nothing."""
    async with running_app(console={"installation": NAME, "colour": "red"}) as app:
        page = (await app.http.get("/console/")).text
        assert '<meta name="installation" content="Bank &quot;A&quot; &lt;production&gt;" class="red">' in page
    async with running_app() as app:
        assert '<meta name="installation" content="" class="grey">' in (await app.http.get("/console/")).text


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390), ("contrast", 390)])
async def test_nobody_takes_one_for_another(built: None, browser: Browser, axe: str, theme: str, width: int) -> None:
    """Before one signs in, and wherever one is then."""
    told = f"Installation: {NAME}"
    async with ServerProcess(BPM_CONSOLE__INSTALLATION=NAME, BPM_CONSOLE__COLOUR="red") as server:
        context = await browser.new_context(viewport={"width": width, "height": 800})
        page = await context.new_page()
        await page.add_init_script(f"localStorage.setItem('bpm-theme', '{theme}')")
        await page.goto(f"{server.url}/console/")
        await expect(page.get_by_text(told, exact=True)).to_be_visible()
        await expect(page).to_have_title(f"Sign in · {NAME} · BPM Bus")
        assert await faults(page, axe) == []
        await sign_in(page)
        await page.get_by_role("heading", name="Overview").wait_for()
        await expect(page.get_by_text(told, exact=True).locator("visible=true")).to_have_count(1)
        await expect(page).to_have_title(f"Overview · {NAME} · BPM Bus")
        assert await faults(page, axe) == []
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        await context.close()
