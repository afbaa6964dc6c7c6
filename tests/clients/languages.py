"""How a client is generated and compiled in each language."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2] / ".clients"
"""Where `make clients` installs the generators."""
PYTHON = ROOT / "bin" / "python"
NODE_TOOLS = ROOT / "node_modules" / ".bin"
LIMIT_SECONDS = 300
QUICK_START = "-XX:TieredStopAtLevel=1"
"""Compile less: each Java program runs once."""
OPTIONAL = ("--default-non-nullable", "false")
"""A field with a default may be left out of a request."""
ONLY_SOURCES = "models,apis,supportingFiles,modelTests=false,apiTests=false,modelDocs=false,apiDocs=false"
GENERATED = """package javax.annotation;

public @interface Generated { String[] value(); String date() default ""; String comments() default ""; }
"""
"""Marks generated classes, and left Java with version 11; projects take it from a library."""

LIBRARIES = """namespace JsonSubTypes { }
namespace Polly
{
    using System; using System.Threading; using System.Threading.Tasks;
    public enum OutcomeType { Successful, Failure }
    public class PolicyResult<T> { public OutcomeType Outcome; public T Result; public Exception FinalException; }
    public interface ISyncPolicy<T> { PolicyResult<T> ExecuteAndCapture(Func<T> action); }
    public interface IAsyncPolicy<T> { Task<PolicyResult<T>> ExecuteAndCaptureAsync(Func<Task<T>> action); }
}
"""
"""As much of Polly and JsonSubTypes, which Debian has not, as generated classes name."""
ASSEMBLIES = (
    "System.Net.Http",
    "System.ComponentModel.DataAnnotations",
    "System.Runtime.Serialization",
    "System.Web",
)
NAMING = re.compile(r"NamingStrategy = new CamelCaseNamingStrategy\s*\{[^}]*\}")
"""What Debian's Json.NET is too old for; every field has its name beside it, so none is made by a strategy."""
NEWTONSOFT = Path("/usr/lib/cli/Newtonsoft.Json-5.0/Newtonsoft.Json.dll")


class NotGenerated(Exception):
    """A generator or a compiler refused, in its own words."""


@dataclass(frozen=True, slots=True)
class Language:
    """`build` makes a client of a document in an empty folder; `tools` are the programs and files it needs."""

    tools: tuple[str, ...]
    build: Callable[[Path, Path], None]

    def missing(self) -> list[str]:
        """Return what is not installed."""
        return [tool for tool in self.tools if shutil.which(tool) is None and not Path(tool).exists()]


def run(folder: Path, *command: str | Path) -> str:
    """Run a program in a folder and return what it says; raises `NotGenerated` when it fails."""
    environment = {**os.environ, "PATH": f"{ROOT / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    words = [str(word) for word in command]
    done = subprocess.run(
        words, cwd=folder, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False, env=environment
    )
    said = done.stdout + done.stderr
    if done.returncode != 0:
        raise NotGenerated(f"{words[0]} {words[1]}: {said[-4000:]}")
    return said


def typescript(document: Path, folder: Path) -> None:
    """Make types with openapi-typescript, and check them together with a use of them."""
    run(folder, NODE_TOOLS / "openapi-typescript", document, "-o", "schema.d.ts", *OPTIONAL)
    shutil.copy(Path(__file__).with_name("use.ts"), folder)
    options = ("--noEmit", "--strict", "--target", "es2022", "--module", "esnext", "--moduleResolution", "bundler")
    run(folder, NODE_TOOLS / "tsc", *options, "use.ts")


def python(document: Path, folder: Path) -> None:
    """Make a package with openapi-python-client without a warning, and import every module of it."""
    run(folder, PYTHON, "-m", "openapi_python_client", "generate", "--path", document, *("--meta", "none"),
        *("--output-path", "bpm_client", "--fail-on-warning"))  # fmt: skip
    run(folder, PYTHON, "-c", "import bpm_client, pkgutil, importlib\n"
        "for found in pkgutil.walk_packages(bpm_client.__path__, 'bpm_client.'): importlib.import_module(found.name)\n"
        "from bpm_client.api.bus import send")  # fmt: skip


def java(document: Path, folder: Path) -> None:
    """Make classes with OpenAPI Generator, and compile them with Jackson, which the generator's archive holds."""
    archive = _archive()
    generate = ("generate", "-i", document, "-g", "java", "--library", "native", "-o", "made")
    options = ("--global-property", ONLY_SOURCES, "--additional-properties=openApiNullable=false")
    run(folder, "java", QUICK_START, "-jar", archive, *generate, *options)
    (folder / "Generated.java").write_text(GENERATED)
    sources = sorted(str(path) for path in (folder / "made" / "src" / "main").rglob("*.java"))
    (folder / "sources").write_text("\n".join([*sources, "Generated.java"]))
    run(folder, "javac", f"-J{QUICK_START}", "-proc:none", "-nowarn", "-d", "classes", "-cp", archive, "@sources")


def csharp(document: Path, folder: Path) -> None:
    """Make classes with OpenAPI Generator, and compile them with Mono, what two libraries offer written in."""
    generate = ("generate", "-i", document, "-g", "csharp", "--library", "httpclient", "-o", "made")
    options = ("--global-property", ONLY_SOURCES)
    more = "--additional-properties=targetFramework=net48,nullableReferenceTypes=false"
    run(folder, "java", QUICK_START, "-jar", _archive(), *generate, *options, more)
    (folder / "Libraries.cs").write_text(LIBRARIES)
    sources = sorted((folder / "made" / "src" / "Org.OpenAPITools").rglob("*.cs"))
    for source in sources:
        source.write_text(NAMING.sub("", source.read_text()))
    (folder / "sources").write_text("\n".join([*map(str, sources), "Libraries.cs"]))
    assemblies = [f"-r:{name}" for name in (*ASSEMBLIES, NEWTONSOFT)]
    run(folder, "mcs", "-langversion:latest", "-target:library", "-out:client.dll", *assemblies, "@sources")


def _archive() -> Path:
    (found,) = ROOT.glob("lib/python*/site-packages/openapi_generator_cli/openapi-generator.jar")
    return found


LANGUAGES = {
    "typescript": Language(("node", str(NODE_TOOLS / "openapi-typescript"), str(NODE_TOOLS / "tsc")), typescript),
    "python": Language((str(ROOT / "bin" / "openapi-python-client"),), python),
    "csharp": Language(("java", "mcs", str(NEWTONSOFT), str(ROOT / "bin" / "openapi-generator-cli")), csharp),
    "java": Language(("java", "javac", str(ROOT / "bin" / "openapi-generator-cli")), java),
}
"""Every language whose clients are tried."""
