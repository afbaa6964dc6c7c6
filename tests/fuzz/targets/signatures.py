"""Requests made of the parts of signed ones: nothing crashes, and nothing but what was signed is proven."""

from hypothesis import strategies as st

from bpm.signatures import (
    DETAILS,
    PresetExample,
    RequestAddress,
    SignatureConfig,
    SignatureRefusal,
    TrustSources,
    compile_signature,
    explain,
)

EXAMPLES: dict[str, PresetExample] = {
    name: preset.example
    for name, preset in DETAILS.items()
    if preset.example is not None and preset.scheme.kind != "none"
}
CUSTOM = [
    "{id}.{timestamp}.{body}",
    "{method}{url}{body}{timestamp}",
    "{query.a}|{header.x-a}|{body}",
    "{?{body:id};?}{timestamp}.{body:note*}",
    "{timestamp}{form sorted}",
    "{digest}.{timestamp}.{id}",
]
PIECES = ["t=", "v1=", "v1,", "sha256=", ",", ", ", " ", ".", "0", "=", "&", "+", "%", "msg_1", "\xff", "eyJ", "Z", "-"]


def _config(name: str) -> SignatureConfig:
    example = EXAMPLES[name]
    secret = {"secret": example.secret} if example.secret else {}
    return SignatureConfig.model_validate({"scheme": name, **secret, **example.more})


def _lookup(url: str, _is_outdated: bool = False, _is_sent: bool = False, /) -> str:
    found = next((each.published[url] for each in EXAMPLES.values() if url in each.published), None)
    if found is None:
        raise SignatureRefusal("secret", "nothing stands there")
    return found


TRUST = TrustSources(_lookup, "client-cert")
CONFIGS = {name: _config(name) for name in EXAMPLES}
VERIFIERS = {name: compile_signature(config, str, TRUST) for name, config in CONFIGS.items()}


def fuzz(data: st.DataObject) -> None:
    """Raise when a request passes that is not the one that was signed, or when one can't be judged."""
    name = data.draw(st.sampled_from(sorted(EXAMPLES)))
    example, verifier = EXAMPLES[name], VERIFIERS[name]
    right = {header.lower(): value for header, value in example.headers.items()}
    pieces = st.one_of(st.sampled_from([*PIECES, *right.values(), str(int(example.now))]), st.text(max_size=3))
    text = st.lists(pieces, max_size=4).map("".join)
    headers = {header: data.draw(st.one_of(st.just(value), text)) for header, value in right.items()}
    body = data.draw(st.one_of(st.just(example.body.encode()), _changed(example.body.encode())))
    query = data.draw(st.one_of(st.just(example.query), text))
    address = RequestAddress(example.method, example.path, query, example.base)
    found = verifier.verify(body, headers, example.now, address)
    assert explain(CONFIGS[name], body, headers, example.now, str, address, TRUST).ok is found.ok
    if found.ok and verifier.scheme.covers("body:any") and verifier.scheme.kind != "static":
        assert body == example.body.encode() or "{form sorted}" in verifier.scheme.signed_content, (name, headers, body)
    _fuzz_custom(data, headers, body, address, example.now)


def _changed(body: bytes) -> st.SearchStrategy[bytes]:
    """The body with a piece cut out, put in twice, or another one in its place."""
    places = st.tuples(st.integers(0, len(body)), st.integers(0, len(body)), st.binary(max_size=5))
    return places.map(lambda at: body[: at[0]] + at[2] + body[at[1] :])


def _fuzz_custom(
    data: st.DataObject, headers: dict[str, str], body: bytes, address: RequestAddress, now: float
) -> None:
    """Judge the same request by a scheme of any kind, whose secret signed nothing."""
    content = data.draw(st.sampled_from(CUSTOM))
    names = sorted(headers) or ["x-s"]
    place = data.draw(st.sampled_from([*(f"header:{name}" for name in names), "query:a", "body:id", "body:a.b[0]"]))
    fields = {
        "scheme": "custom",
        "secret": "a secret that signed nothing",
        "signatureIn": place,
        "signedContent": content,
        "encoding": data.draw(st.sampled_from(["hex", "base64", "base64url"])),
        "timestampFormat": data.draw(st.sampled_from(["seconds", "milliseconds", "iso"])),
        "prefix": data.draw(st.sampled_from(["", "v1=", "sha256="])),
    }
    fields |= {"timestampIn": data.draw(st.sampled_from(["header:x-t", "body:t"]))} if "{timestamp}" in content else {}
    fields |= {"idIn": data.draw(st.sampled_from(["header:x-i", "query:i"]))} if "{id}" in content else {}
    config = SignatureConfig.model_validate(fields)
    assert not compile_signature(config).verify(body, headers, now, address).ok
    assert not explain(config, body, headers, now, str, address).ok
