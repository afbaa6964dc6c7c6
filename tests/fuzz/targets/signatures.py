"""Headers made of the parts of signatures: nothing crashes, and nothing but what was signed is proven."""

from hypothesis import strategies as st

from router.signatures import PRESETS, SignatureConfig, compile_signature, explain, sign

NOW = 1_800_000_000
WHSEC = "whsec_" + "a2tra2tra2tra2tra2tra2tra2tra2tr"
BODIES = st.one_of(st.sampled_from([b"", b"{}", b'{"a":"1.1800000000.x"}']), st.binary(max_size=30))


def _config(name: str) -> SignatureConfig:
    more = {"basic": {"username": "ann"}, "remita": {"header": "x-remita"}}.get(name, {})
    return SignatureConfig.model_validate({"scheme": name, "secret": WHSEC, **more})


CONFIGS = {name: _config(name) for name in PRESETS}
VERIFIERS = {name: compile_signature(config) for name, config in CONFIGS.items()}


def fuzz(data: st.DataObject) -> None:
    """Raise when a request passes that is not the one that was signed, or when one can't be judged."""
    name = data.draw(st.sampled_from(sorted(CONFIGS)))
    verifier, raw = VERIFIERS[name], data.draw(BODIES)
    right = {header.lower(): value for header, value in sign(CONFIGS[name], raw, NOW, "msg_1").items()}
    fragments = [
        *right.values(),
        str(NOW),
        "t=",
        "v1=",
        "v1,",
        "sha256=",
        ",",
        " ",
        ".",
        "0",
        "=",
        "+",
        "msg_1",
        "\xff",
    ]
    pieces = st.one_of(st.sampled_from(fragments), st.text(max_size=3))
    text = st.lists(pieces, max_size=4).map("".join)
    headers = {header: data.draw(st.one_of(st.just(value), text)) for header, value in right.items()}
    other = data.draw(st.one_of(st.just(raw), BODIES))
    passed = verifier.verify(other, headers, NOW).ok
    if passed and verifier.scheme.kind != "static":
        assert other == raw, (name, headers, raw, other)
        for header in (verifier.scheme.timestamp_header.lower(), verifier.scheme.id_header.lower()):
            assert not header or headers[header] == right[header], (name, headers)
    assert explain(CONFIGS[name], other, headers, NOW).ok is passed
