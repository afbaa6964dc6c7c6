"""Drives wrk against a server and reads what it counted."""

import json
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.benchmark import Figure
from tests.bench.payload import BODY, SIGNATURE_HEADER, sign
from tests.bench.servers import Server

SCRIPT = Path(__file__).with_suffix(".lua")
INSTALL = "wrk is not installed. Install it with: sudo apt-get install wrk"


@dataclass(frozen=True)
class Request:
    """What is sent, and a text that every right answer contains."""

    path: str
    expected: str
    body: bytes = BODY
    headers: Mapping[str, str] = field(default_factory=lambda: {SIGNATURE_HEADER: sign(BODY)})

    def text(self, host: str) -> bytes:
        """The HTTP request as sent.

        `{n}`, a running number, makes each one a delivery of its own: no server may take it for a duplicate.
        """
        headers = {"Host": host, "Content-Type": "application/json", "Content-Length": str(len(self.body))}
        headers |= {"X-GitHub-Delivery": f"{uuid.uuid4()}-{{n}}", **self.headers}
        lines = [f"POST {self.path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + self.body


def is_installed() -> bool:
    """Whether wrk is on the path."""
    return shutil.which("wrk") is not None


def send(server: Server, request: Request, connections: int, seconds: int) -> Figure:
    """Send the request over so many connections for so many seconds, each answer checked."""
    before = server.cpu_seconds()
    with tempfile.NamedTemporaryFile(prefix="request-") as file:
        file.write(request.text(f"127.0.0.1:{server.port}"))
        file.flush()
        # one thread: a second one would take the other core from the server
        options = ["-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", str(SCRIPT)]
        command = ["wrk", *options, server.url, "--", file.name, request.expected]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 60)
    result, _, sample = done.stdout.partition("RESULT ")[2].partition("\n")
    counts = json.loads(result)
    units = counts.pop("requests") - counts["refused"] - counts["wrong"]
    return Figure(units, **counts, cpu=server.cpu_seconds() - before, sample=sample.strip())
