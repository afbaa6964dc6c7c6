"""How OpenAPI Generator's clients are generated and compiled in languages that have no client of ours."""

import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from clients.generate import TOOLS, run

HERE = Path(__file__).parent
ARCHIVE = next(
    TOOLS.glob("lib/python*/site-packages/openapi_generator_cli/openapi-generator.jar"),
    TOOLS / "openapi-generator.jar",
)
"""OpenAPI Generator, which also holds Jackson; the second name says what is missing where it is not installed."""

QUICK_START = "-XX:TieredStopAtLevel=1"
"""Compile less: each Java program runs once."""
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


@dataclass(frozen=True, slots=True)
class Language:
    """`build` makes a client of a document in an empty folder; `tools` are the programs and files it needs.

    `use` runs, in that folder, a program that lists the users of a server, whose address and key follow.
    """

    tools: tuple[str, ...]
    build: Callable[[Path, Path], None]
    use: tuple[str, ...] = ()

    def missing(self) -> list[str]:
        """Return what is not installed."""
        return [tool for tool in self.tools if shutil.which(tool) is None and not Path(tool).exists()]


def java(document: Path, folder: Path) -> None:
    """Make classes with OpenAPI Generator, and compile them with Jackson, which the generator's archive holds."""
    generate = ("generate", "-i", document, "-g", "java", "--library", "native", "-o", "made")
    options = ("--global-property", ONLY_SOURCES, "--additional-properties=openApiNullable=false")
    run(folder, "java", QUICK_START, "-jar", ARCHIVE, *generate, *options)
    (folder / "Generated.java").write_text(GENERATED)
    sources = sorted(str(path) for path in (folder / "made" / "src" / "main").rglob("*.java"))
    (folder / "sources").write_text("\n".join([*sources, "Generated.java", str(HERE / "Use.java")]))
    run(folder, "javac", f"-J{QUICK_START}", "-proc:none", "-nowarn", "-d", "classes", "-cp", ARCHIVE, "@sources")


def php(document: Path, folder: Path) -> None:
    """Make classes with OpenAPI Generator, and have PHP read every one."""
    generate = ("generate", "-i", document, "-g", "php", "-o", "made", "--global-property", ONLY_SOURCES)
    run(folder, "java", QUICK_START, "-jar", ARCHIVE, *generate)
    for start in range(0, len(sources := sorted((folder / "made" / "lib").rglob("*.php"))), 100):
        run(folder, "php", "-l", *sources[start : start + 100])


def csharp(document: Path, folder: Path) -> None:
    """Make classes with OpenAPI Generator, and compile them with Mono, what two libraries offer written in."""
    generate = ("generate", "-i", document, "-g", "csharp", "--library", "httpclient", "-o", "made")
    options = ("--global-property", ONLY_SOURCES)
    more = "--additional-properties=targetFramework=net48,nullableReferenceTypes=false"
    run(folder, "java", QUICK_START, "-jar", ARCHIVE, *generate, *options, more)
    (folder / "Libraries.cs").write_text(LIBRARIES)
    sources = sorted((folder / "made" / "src" / "Org.OpenAPITools").rglob("*.cs"))
    for source in sources:
        source.write_text(NAMING.sub("", source.read_text()))
    (folder / "sources").write_text("\n".join([*map(str, sources), "Libraries.cs"]))
    assemblies = [f"-r:{name}" for name in (*ASSEMBLIES, NEWTONSOFT)]
    run(folder, "mcs", "-langversion:latest", "-target:library", "-out:client.dll", *assemblies, "@sources")


LANGUAGES = {
    "csharp": Language(("java", "mcs", str(NEWTONSOFT), str(ARCHIVE)), csharp),
    "java": Language(
        ("java", "javac", str(ARCHIVE)),
        java,
        ("java", QUICK_START, "-cp", f"classes{os.pathsep}{ARCHIVE}", "Use"),
    ),
    "php": Language(("java", "php", str(ARCHIVE)), php, ("php", str(HERE / "use.php"))),
}
"""Every language for which other people's clients are tried."""
