"""nginx and HAProxy in front of a server, with configurations of ours."""

import shutil
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from bpm.testing.process import free_port
from tests.ports import wait_for

HERE = Path(__file__).parent
START_SECONDS = 60

PROXIES: dict[str, tuple[str, str, dict[str, str]]] = {
    "nginx": ("nginx", "nginx.conf", {"BUFFERING": "on"}),
    "nginx unbuffered": ("nginx", "nginx.conf", {"BUFFERING": "off"}),
    "haproxy": ("haproxy", "haproxy.cfg", {}),
}
"""Each with its program, its configuration, and what is filled in there beside ports and the folder."""


def is_installed(name: str) -> bool:
    """Whether the program is on this machine; `make proxies` installs both."""
    return _program(name) is not None


@contextmanager
def proxy(name: str, upstream: int, folder: Path) -> Generator[int]:
    """Run a proxy in front of a port of this machine; yields its own port."""
    _, template, words = PROXIES[name]
    port = free_port()
    text = (HERE / template).read_text()
    for word, value in {"PORT": port, "UPSTREAM": upstream, "FOLDER": folder, **words}.items():
        text = text.replace(word, str(value))
    config = folder / template
    config.write_text(text)
    flag = "-c" if template.startswith("nginx") else "-f"
    process = subprocess.Popen([_program(name) or name, flag, str(config)], cwd=folder)
    try:
        wait_for(port, START_SECONDS)
        yield port
    finally:
        process.terminate()
        process.wait(START_SECONDS)


def _program(name: str) -> str | None:
    return shutil.which(PROXIES[name][0], path="/usr/local/sbin:/usr/sbin:/usr/local/bin:/usr/bin:/bin")
