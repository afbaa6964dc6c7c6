"""Drawings that can't be read when they are seen whole."""

from itertools import pairwise

import pytest
from playwright.async_api import Page, expect

from bpm.testing import ServerProcess
from tests.console.test_process_pages import COLLAPSED
from tests.console.test_screens import visit

pytestmark = pytest.mark.anyio


def large_drawing(count: int) -> str:
    """A process of tasks one behind another, in rows of 25, of which the last but one waits for somebody."""
    tasks = "".join(f'<task id="t{n}" name="Step {n}"/>' for n in range(count - 2)) + f'<userTask id="t{count - 2}"/>'
    ids = ["a", *(f"t{n}" for n in range(count - 1)), "e"]
    flows = "".join(
        f'<sequenceFlow id="f{n}" sourceRef="{one}" targetRef="{other}"/>'
        for n, (one, other) in enumerate(pairwise(ids))
    )
    shapes = "".join(
        f'<bpmndi:BPMNShape id="s{n}" bpmnElement="{each}">'
        f'<dc:Bounds x="{n % 25 * 150}" y="{n // 25 * 120}" width="100" height="80"/></bpmndi:BPMNShape>'
        for n, each in enumerate(ids)
    )
    head = COLLAPSED.partition("<process")[0]
    return (
        f'{head}<process id="large" isExecutable="true"><startEvent id="a"/>{tasks}<endEvent id="e"/>{flows}</process>'
        f'<bpmndi:BPMNDiagram id="d"><bpmndi:BPMNPlane id="p" bpmnElement="large">{shapes}'
        "</bpmndi:BPMNPlane></bpmndi:BPMNDiagram></definitions>"
    )


async def test_a_large_drawing_begins_where_something_waits(signed_in: Page, server: ServerProcess) -> None:
    """500 elements seen at once can't be read; what is chosen from the list is brought into sight as well."""
    page = signed_in
    await server.cmd("CreateProcessDefinitionCommand", name="large", bpmnXml=large_drawing(500))
    started = await server.cmd("StartProcessInstanceCommand", processKey="large")
    await visit(page, server, f"processes/{started['instanceId']}")
    await expect(page.locator(".canvas .mark.token")).to_be_in_viewport()
    box = await page.locator('.djs-shape[data-element-id="t498"]').bounding_box()
    assert box
    assert box["width"] > 50
    await expect(page.locator('.djs-shape[data-element-id="t3"]')).not_to_be_in_viewport()
    await page.get_by_label("Element", exact=True).select_option("t3")
    await expect(page.locator('.djs-shape[data-element-id="t3"]')).to_be_in_viewport()
    await page.get_by_role("button", name="Fit").click()
    await expect(page.locator(".canvas .mark.token")).to_be_in_viewport()
    await expect(page.locator('.djs-shape[data-element-id="t3"]')).to_be_in_viewport()
