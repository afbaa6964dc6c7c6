"""A zygote for tests of the wall alone: plain Python instead of the language layer.

Scripts may import what is loaded here; the locks are the product's own.
"""

import ast
import builtins
import ctypes
import marshal
import os
import resource
import signal
import socket
import struct
import subprocess
import sys
import types
from typing import Any

import msgpack

from scripts.child import zygote
from scripts.child.compiler import CONTAINER
from scripts.child.execution import Language

LOADED = (ctypes, os, resource, signal, socket, struct, subprocess)


def compile_plainly(source: str, depth: int) -> dict[str, Any]:
    """Compile without any rule."""
    module = ast.parse(source)
    names = sorted({node.id for node in ast.walk(module) if isinstance(node, ast.Name)} - {"payload"})
    function = ast.parse(f"def {CONTAINER}():\n global {', '.join(names)}\n pass").body[0]
    assert isinstance(function, ast.FunctionDef)
    function.body += module.body
    tree = ast.fix_missing_locations(ast.Module([function], []))
    return {"code": marshal.dumps(compile(tree, "<script>", "exec")), "problems": [], "warnings": []}


def load_lazy_modules() -> None:
    """Import what the loaded modules would import at their first use."""
    "localhost".encode("idna")


if __name__ == "__main__":
    # The corpus writes frames with msgspec, which is the same format as msgpack.
    sys.modules["msgspec"] = types.SimpleNamespace(  # type: ignore[assignment]
        msgpack=types.SimpleNamespace(encode=msgpack.packb)
    )
    load_lazy_modules()
    zygote.main(Language(compile_plainly, {"__builtins__": vars(builtins), "__name__": "script"}))
