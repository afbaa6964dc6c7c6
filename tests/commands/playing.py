"""Processes in the compact notation of the conformance cases, deployed and started on a running application."""

import asyncio
from typing import Any

from sqlalchemy import text

from bpm.testing import RunningApp
from tests.bpm.bpmn.conformance.notation import Writer
from tests.bpm.bpmn.player import model


def bpmn(text: str, process: str = "p") -> str:
    """Write a file with one process; lines and `; ` separate statements."""
    writer = Writer()
    for line in text.split("\n"):
        for statement in line.split("; "):
            if statement.strip():
                writer.write(statement.strip())
    source = model("".join(writer.xml), "".join(writer.declarations.values()))
    return source.replace('<process id="p"', f'<process id="{process}"')


async def deploy(app: RunningApp, text: str, process: str = "p", **fields: Any) -> dict[str, Any]:
    """Deploy a process."""
    return await app.cmd("CreateProcessDefinitionCommand", name=process, bpmnXml=bpmn(text, process), **fields)


async def start(app: RunningApp, process: str = "p", **variables: Any) -> dict[str, Any]:
    """Start an instance of the newest version."""
    return await app.cmd("StartProcessInstanceCommand", processKey=process, variables=variables)


async def instance(app: RunningApp, instance_id: int) -> dict[str, Any]:
    """Look at an instance."""
    return await app.cmd("GetProcessInstanceByIdQuery", instanceId=instance_id)


async def instances(app: RunningApp, process: str, count: int, status: str = "COMPLETED") -> list[dict[str, Any]]:
    """Wait until so many instances of a process have a status."""
    async with asyncio.timeout(30):
        while True:
            page = await app.cmd("GetProcessInstanceListQuery", processKey=process, status=status, pageSize=200)
            if page["totalCount"] >= count:
                return page["items"]
            await asyncio.sleep(0.02)


async def trace(app: RunningApp, instance_id: int) -> list[str]:
    """Return the elements that an instance has completed."""
    page = await app.cmd("GetProcessInstanceHistoryQuery", instanceId=instance_id)
    return [entry["elementId"] for entry in page["items"] if entry["event"] == "completed"]


OLDER_WAITS = text("""
    INSERT INTO process_wait
        (wait_id, instance_id, kind, element_id, attempt, tries, depth, name, data, created_at, organization_id)
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)
    SELECT -i, instance_id, kind, element_id, attempt, tries, depth, name, data, created_at, organization_id
    FROM n, (SELECT * FROM process_wait ORDER BY wait_id LIMIT 1)
""")


async def older_waits(app: RunningApp, count: int) -> None:
    """Store so many waits like the oldest one there is, as if they had been opened before it."""
    await app.app.database.write(lambda tx: tx.connection.execute(OLDER_WAITS, {"count": count}))
