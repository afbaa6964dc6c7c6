"""`bpm bulk`: bulk jobs, and waiting for one."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bpm.cli.connection import Password, ServerConnection, Token, Url, Username, send_message
from bpm.cli.exits import ExitStatus, fail
from bpm.cli.output import FormatOption, OutputFormat, print_data
from bpm.cli.progress import wait_for_end
from bpm.cli.terminal import say
from bpm.cli.verb_command import verb_group

if TYPE_CHECKING:
    from bpm.cli.lasting_client import LastingClient

app = verb_group("bulk")

ENDS = ("planned", "done", "cancelled", "failed")
"""The states in which nothing goes on by itself."""

BulkId = Annotated[str, typer.Argument(metavar="BULK_ID", help="The id of the bulk job.")]


@app.command()
def wait(
    bulk_id: BulkId,
    url: Url = None,
    token: Token = None,
    username: Username = None,
    password: Password = None,
    output: FormatOption = OutputFormat.AUTO,
) -> None:
    """Wait until a bulk job has ended, and show how far it is; the exit status is 1 unless every row was done.

    Ctrl-C ends the waiting alone: the job goes on.
    """

    async def work(client: "LastingClient") -> Any:
        client.is_patient = True
        return await wait_for_end(
            lambda: send_message(client, "GetBulkJobByIdQuery", {"bulkId": bulk_id}),
            lambda job: job["done"] + job["refused"],
            ENDS,
            "working",
            shows=output.is_text,
        )

    try:
        job = ServerConnection(url, token, username, password).run(work)
    except KeyboardInterrupt:
        say(f"bpm: the job goes on; `bpm bulk cancel {bulk_id}` ends it", err=True)
        raise
    print_data(job, output)
    if job["state"] == "planned":
        fail(ExitStatus.ERROR, f"nobody has started it; `bpm bulk start {bulk_id}` does")
    if job["state"] != "done":
        fail(ExitStatus.ERROR, job["error"] or f"it was {job['state']}; {job['left']} rows are left")
    if job["refused"]:
        told = f"{job['refused']} of {job['total']} rows were refused"
        fail(ExitStatus.ERROR, told, f"`bpm bulk rows {bulk_id} --state refused` says why")
