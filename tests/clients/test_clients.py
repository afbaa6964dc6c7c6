"""Clients generated from the product's own document compile."""

import sys
from pathlib import Path

import pytest

from bpm.app.providers import provider_addresses
from bpm.bus import Registry
from bpm.web.openapi import OpenApi
from tests.clients.languages import LANGUAGES, LIMIT_SECONDS

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="the generators' folder is laid out as on Unix"),
    pytest.mark.timeout(2 * LIMIT_SECONDS),
]


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The document of the product as a file."""
    product = Registry()
    product.discover("commands")
    path = tmp_path_factory.mktemp("document") / "openapi.json"
    path.write_bytes(OpenApi(product, "1.2.3", provider_addresses()).json)
    return path


@pytest.mark.parametrize("name", LANGUAGES)
def test_a_client_is_generated_and_compiles(name: str, document: Path, tmp_path: Path) -> None:
    """Other people's generators read the document, and their compilers what was generated."""
    language = LANGUAGES[name]
    if missing := language.missing():
        pytest.skip(f"{', '.join(missing)}: not installed (make clients)")
    language.build(document, tmp_path)
