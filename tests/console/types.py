"""Checks the types of the console's sources against the messages of the bus: `python -m tests.console.types`.

The types are made from the OpenAPI document, so a view that changes is an error where a screen reads it.
"""

import subprocess
import sys

from bpm.app import build_registry
from bpm.settings import Settings
from bpm.web.console import build_hook
from bpm.web.openapi import OpenApi

GENERATED = build_hook.APP / "generated"
TOOL = "node_modules/openapi-typescript/bin/cli.js"
COMPILER = "node_modules/typescript/bin/tsc"


def check() -> None:
    """Make the types and check the sources; raises `CalledProcessError` after the compiler has said what is wrong."""
    build_hook.install("typescript")
    GENERATED.mkdir(exist_ok=True)
    (GENERATED / "openapi.json").write_bytes(OpenApi(build_registry(Settings()), "0").json)
    options = ("--default-non-nullable", "false", "-o", "generated/api.d.ts")
    build_hook.node(TOOL, "generated/openapi.json", *options)
    build_hook.node(COMPILER, "--project", ".")


if __name__ == "__main__":
    try:
        check()
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
