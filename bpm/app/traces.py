"""What the settings say about traces: to which collector they are sent, and with which proof."""

import re
from collections.abc import Mapping
from importlib.metadata import version

from bpm.errors import Misconfigured
from bpm.settings import TraceSettings
from bpm.tracing import Tracer

ENDPOINT = re.compile(r"https?://[^\s/?#@]+(?:/[^\s?#]*)?")
HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+)=([\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)")


def open_tracer(settings: TraceSettings) -> Tracer | None:
    """Return what traces, None where no collector is named; raises `Misconfigured`."""
    if settings.endpoint is None:
        return None
    if not ENDPOINT.fullmatch(settings.endpoint):
        raise Misconfigured("BPM_TRACES__ENDPOINT: must be a collector's address, as in http://127.0.0.1:4318")
    headers = read_headers(settings)
    try:
        from bpm.tracing.otlp import OtlpExporter
    except ImportError as error:
        raise Misconfigured(
            f"BPM_TRACES__ENDPOINT: needs the extra otel ({error}); install it with: pip install 'bpm-bus[otel]'"
        ) from error
    return Tracer(OtlpExporter(settings.endpoint, headers, settings.service, version("bpm-bus")), settings.ratio)


def read_headers(settings: TraceSettings) -> Mapping[str, str]:
    """Return the headers for the collector; raises `Misconfigured`, without a value in its sentence."""
    written = settings.headers.get_secret_value() if settings.headers is not None else ""
    found = [HEADER.fullmatch(part.strip()) for part in written.split(",") if part.strip()]
    if None in found:
        raise Misconfigured("BPM_TRACES__HEADERS: must be pairs between commas, as in api-key=secret")
    return {match[1]: match[2] for match in found if match is not None}
