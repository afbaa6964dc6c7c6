"""Bytes that a client, or a smuggler behind a proxy, may send, and what must come of them.

A case is what is sent and the answers it gets: of a request that is taken what `Echo` says, `METHOD target body`, of
one that is refused its status. After a refusal nothing more is read. Behind each case stands `END`, so that what a
server reads too little or too much of the case shows in its answer. No request for `/smuggled` is ever to be seen.
"""

from typing import NamedTuple

END = b"GET /end HTTP/1.1\r\nHost: x\r\n\r\n"
INNER = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"

POST = b"POST / HTTP/1.1\r\nHost: x\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
OFFER = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"
WEBSOCKET = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"


class Case(NamedTuple):
    """What is sent, and its answers."""

    raw: bytes
    answers: tuple[str, ...]


def sized(*values: bytes, body: bytes = b"{}") -> bytes:
    """Return a request with a `Content-Length` of each value."""
    return POST + b"".join(b"Content-Length: %s\r\n" % value for value in values) + b"\r\n" + body


def header(line: bytes) -> bytes:
    """Return a request with a line among its headers."""
    return b"GET / HTTP/1.1\r\nHost: x\r\n" + line + b"\r\n\r\n"


def line(text: bytes) -> bytes:
    """Return a request that begins with a line of its own."""
    return text + b"\r\nHost: x\r\n\r\n"


def offering(offer: bytes, body: bytes, *, chunked: bool = False) -> bytes:
    """Return a request that offers to upgrade and has a body."""
    if chunked:
        return POST + offer + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    return POST + offer + b"Content-Length: %d\r\n\r\n" % len(body) + body


TAKEN = ("POST / {}", "GET /end")
GOT = ("GET /", "GET /end")
REFUSED = ("400",)

LENGTHS = {
    "length": Case(sized(b"2"), TAKEN),
    "length with zeros": Case(sized(b"0002"), TAKEN),
    "length of nothing": Case(sized(b"0", body=b""), ("POST /", "GET /end")),
    "length between blanks": Case(sized(b"  2\t "), TAKEN),
    "no length": Case(POST + b"\r\n", ("POST /", "GET /end")),
    **{
        f"length {value!r}": Case(sized(value), REFUSED)
        for value in [
            *(b"+2", b"-2", b"-0", b"0x2", b"2.0", b"2e0", b"2 2", b"2,2", b"2, 2", b"2;", b"2 ;x", b"\x002", b"2\x00"),
            *(b"", b" ", b"two", b"\xb2", b"99999999999999999999", b"18446744073709551616", b"2\x0b", b"2\x0c", b"'2'"),
        ]
    },
    "two lengths": Case(sized(b"2", b"2"), REFUSED),
    "two lengths that differ": Case(sized(b"2", b"35", body=b"{}" + INNER), REFUSED),
    "a length in other letters": Case(POST + b"content-LENGTH: 2\r\nContent-Length: 0\r\n\r\n{}", REFUSED),
    "length, then chunked": Case(POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", REFUSED),
    "chunked, then length": Case(POST + b"Transfer-Encoding: chunked\r\nContent-Length: 40\r\n\r\n0\r\n\r\n", REFUSED),
    "length behind a fold": Case(POST + b"X: y\r\n Content-Length: 35\r\n\r\n" + INNER, REFUSED),
    "length with a blank before the colon": Case(POST + b"Content-Length : 35\r\n\r\n" + INNER, REFUSED),
    "length behind a bare CR": Case(POST + b"X: y\rContent-Length: 35\r\n\r\n" + INNER, REFUSED),
    "length behind a bare LF": Case(POST + b"X: y\nContent-Length: 35\r\n\r\n" + INNER, REFUSED),
    "length with an underscore": Case(POST + b"Content_Length: 35\r\n\r\n", ("POST /", "GET /end")),
    "a body of GET": Case(b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}", ("GET / {}", "GET /end")),
    "a body of DELETE": Case(
        b"DELETE / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}", ("DELETE / {}", "GET /end")
    ),
    "a request as a body": Case(sized(b"%d" % len(INNER), body=INNER), ("POST / " + INNER.decode(), "GET /end")),
}

CODINGS = {
    "chunked": Case(CHUNKED + b"2\r\n{}\r\n0\r\n\r\n", TAKEN),
    "Chunked": Case(POST + b"transfer-encoding: Chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", TAKEN),
    "chunked behind a tab": Case(POST + b"Transfer-Encoding:\tchunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", TAKEN),
    **{
        f"coding {value!r}": Case(POST + b"Transfer-Encoding: " + value + b"\r\n\r\n0\r\n\r\n" + INNER, REFUSED)
        for value in [
            *(
                b"xchunked",
                b"chunked, identity",
                b"identity, chunked",
                b"gzip, chunked",
                b"chunked, chunked",
                b"identity",
            ),
            *(
                b"chunked;q=1",
                b"chunked,",
                b",chunked",
                b"'chunked'",
                b'"chunked"',
                b"chunked\x0b",
                b"\x00chunked",
                b"",
            ),
            *(b"chunk ed", b"chunked\xa0", b"cow", b"gzip", b"deflate", b"chun\r\n ked"),
        ]
    },
    "two codings": Case(POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", REFUSED),
    "two codings that differ": Case(
        POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n", REFUSED
    ),
    "coding with a blank before the colon": Case(
        POST + b"Content-Length: 5\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + INNER, REFUSED
    ),
    "coding behind a blank": Case(POST + b" Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", REFUSED),
    "coding in HTTP/1.0": Case(b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + INNER, REFUSED),
}

CHUNKS = {
    "two chunks": Case(CHUNKED + b"1\r\n{\r\n1\r\n}\r\n0\r\n\r\n", TAKEN),
    "zeros before a size": Case(CHUNKED + b"0002\r\n{}\r\n0\r\n\r\n", TAKEN),
    "large and small digits": Case(
        CHUNKED + b"a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n", ("POST / " + "0123456789" * 2, "GET /end")
    ),
    "an extension": Case(CHUNKED + b"2;x=y\r\n{}\r\n0;z\r\n\r\n", TAKEN),
    "a quoted extension": Case(CHUNKED + b'2;x="a b"\r\n{}\r\n0\r\n\r\n', TAKEN),
    **{
        f"chunk {chunk!r}": Case(CHUNKED + chunk + INNER, REFUSED)
        for chunk in [
            *(b"-2\r\n{}\r\n", b"+2\r\n{}\r\n", b"0x2\r\n{}\r\n", b"2h\r\n{}\r\n", b" 2\r\n{}\r\n", b"2 \r\n{}\r\n"),
            *(
                b"2\t\r\n{}\r\n",
                b"2\n{}\n0\n\n",
                b"2\r{}\r0\r\r",
                b"\r\n2\r\n{}\r\n",
                b"g\r\n",
                b";x\r\n",
                b"\x002\r\n{}\r\n",
            ),
            *(b"2\r\n{}0\r\n\r\n", b"2\r\n{}\n0\r\n\r\n", b"2\r\n{}\r0\r\n\r\n", b"2\r\n{}xx0\r\n\r\n", b"1\r\n{}\r\n"),
            *(b"10000000000000002\r\n{}\r\n", b"fffffffffffffffff\r\n", b"100000000000000000000\r\n", b"2,2\r\n{}\r\n"),
            *(
                b'2;x="\r\n{}\r\n',
                b"2;\x00\r\n{}\r\n",
                b"2;x\n{}\r\n0\r\n\r\n",
                b"2;x\r{}\r\n0\r\n\r\n",
                b"0\n\r\n",
                b"0\r\n\n",
            ),
            *(b"2\r\n{}\r\n0\r\r\n", b"2\r\n{}\r\n0 \r\n\r\n", b"00x\r\n\r\n", b"\xb2\r\n{}\r\n", b"2_0\r\n"),
        ]
    },
    "a request behind the last chunk": Case(CHUNKED + b"0\r\n\r\n" + line(b"GET / HTTP/1.1"), ("POST /", *GOT)),
}

TRAILERS = {
    **{
        f"trailer {trailer!r}": Case(CHUNKED + b"2\r\n{}\r\n0\r\n" + trailer + b"\r\n\r\n", TAKEN)
        for trailer in [
            *(b"X-Forwarded-For: 10.0.0.1", b"Forwarded: for=10.0.0.1", b"Host: y", b"Authorization: Bearer x"),
            *(b"Content-Type: text/plain", b"A: b\r\nC: d", b"Cookie: a=b"),
            *(b"Upgrade: h2c", b"Expect: 100-continue", b"X-Hub-Signature-256: sha256=00"),
        ]
    },
    **{
        f"trailer {trailer!r}": Case(CHUNKED + b"2\r\n{}\r\n0\r\n" + trailer + b"\r\n\r\n" + INNER, REFUSED)
        for trailer in [
            b"Content-Length: 35",
            b"Transfer-Encoding: chunked",
            b"A: b\r\n c",
            b"A : b",
            b"A",
            b": b",
            b"A: b\0",
            b"A: b\rc",
            b"A: b\nc: d",
            b" A: b",
        ]
    },
    "trailer to close": Case(CHUNKED + b"2\r\n{}\r\n0\r\nConnection: close\r\n\r\n" + INNER, ("POST / {}",)),
}

FIELDS = {
    **{
        f"value with {byte:#04x}": Case(header(b"A: a%cb" % byte), REFUSED) for byte in [*range(9), *range(10, 32), 127]
    },
    "value with a tab": Case(header(b"A: a\tb"), GOT),
    "value with letters of Latin 1": Case(header(b"A: \xe4\xff"), GOT),
    "an empty value": Case(header(b"A:"), GOT),
    **{
        f"name with {byte:#04x}": Case(header(b"A%cb: c" % byte), REFUSED)
        for byte in [*range(10), *range(11, 13), *range(14, 33), *b'"(),/;<=>?@[\\]{}', 127, 128, 255]
    },
    "no name": Case(header(b": a"), REFUSED),
    "no colon": Case(header(b"A"), REFUSED),
    "a fold": Case(header(b"A: a\r\n b"), REFUSED),
    "a fold with a tab": Case(header(b"A: a\r\n\tb"), REFUSED),
    "a fold of nothing": Case(header(b"A: a\r\n \r\nB: c"), REFUSED),
    "a fold before the first header": Case(b"GET / HTTP/1.1\r\n Host: x\r\n\r\n", REFUSED),
    "a bare LF": Case(b"GET / HTTP/1.1\r\nHost: x\nA: b\r\n\r\n", REFUSED),
    "bare LFs": Case(b"GET / HTTP/1.1\nHost: x\n\n", REFUSED),
    "an end of a bare LF": Case(b"GET / HTTP/1.1\r\nHost: x\r\n\n", REFUSED),
    "an end of a bare CR": Case(b"GET / HTTP/1.1\r\nHost: x\r\n\r\r", REFUSED),
    "two CRs": Case(b"GET / HTTP/1.1\r\nHost: x\r\r\n\r\n", REFUSED),
    "no host": Case(b"GET / HTTP/1.1\r\nA: b\r\n\r\n", REFUSED),
    "no host in HTTP/1.0": Case(b"GET / HTTP/1.0\r\n\r\n", ("GET /",)),
    "no headers": Case(b"GET / HTTP/1.1\r\n\r\n", REFUSED),
}

LINES = {
    **{
        f"line {text!r}": Case(line(text), REFUSED)
        for text in [
            *(
                b"GET /",
                b"GET / HTTP/0.9",
                b"GET / HTTP/2.0",
                b"GET / HTTP/3.0",
                b"GET / HTTP/1.2",
                b"GET / HTTP/1",
                b"GET",
            ),
            *(
                b"GET / HTTP/1.11",
                b"GET / HTTP/01.1",
                b"GET / http/1.1",
                b"GET / HTTP /1.1",
                b"GET / HTTP/1.1 ",
                b"GET / x",
            ),
            *(
                b"GET / HTTP/1.1\t",
                b"GET / ICE/1.0",
                b"get / HTTP/1.1",
                b"GETS / HTTP/1.1",
                b"GE T / HTTP/1.1",
                b" GET / HTTP/1.1",
            ),
            *(
                b"G\0T / HTTP/1.1",
                b"/ HTTP/1.1",
                b"HTTP/1.1 200 OK",
                b"GET /\tHTTP/1.1",
                b"GET\t/ HTTP/1.1",
                b"GET / a HTTP/1.1",
            ),
            *(
                b"PRI * HTTP/2.0\r\n\r\nSM\r\n",
                b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
                b"SSH-2.0-x",
                b"{}",
                b"\0",
            ),
        ]
    },
    "line ends before the request": Case(b"\r\n\r\n" + line(b"GET / HTTP/1.1"), GOT),
    "HTTP/1.0": Case(line(b"GET / HTTP/1.0"), ("GET /",)),
}

TARGETS = {
    **{
        f"target {target!r}": Case(line(b"GET " + target + b" HTTP/1.1"), REFUSED)
        for target in [
            *(
                b"*",
                b"x",
                b"x:1",
                b"../",
                b"?a",
                b"#",
                b"/#a",
                b"/a?b#c",
                b"http://y/",
                b"http://x:81/",
                b"https://u@x/",
            ),
            *(b"ftp://x/", b"http:/x/", b"http://", b"//", b"http://x#/"),
            *(b"/\xff", b"/\x80", b"/\0", b"/\x01", b"/\x7f", b"/\x0b", b"/\x0c"),
        ]
        if target != b"//"
    },
    **{
        f"target {target!r}": Case(line(b"GET " + target + b" HTTP/1.1"), (f"GET {seen.decode()}", "GET /end"))
        for target, seen in {
            **{
                kept: kept
                for kept in (b"/a", b"/a?b=c", b"/a%2fb", b"/%00", b"/a/../b", b"/a//b", b"/?", b"/a;b", b"/a?b?c")
            },
            b"http://x/a": b"/a",
            b"HTTP://X/a?b": b"/a?b",
            b"/?": b"/",
        }.items()
    },
    "CONNECT": Case(b"CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n" + INNER, REFUSED),
    "CONNECT with a path": Case(b"CONNECT / HTTP/1.1\r\nHost: x\r\n\r\n" + INNER, REFUSED),
    "a target of another host": Case(b"GET http://x/ HTTP/1.1\r\nHost: y\r\n\r\n", REFUSED),
    "a target of a host with a user": Case(b"GET http://y@x/ HTTP/1.1\r\nHost: x\r\n\r\n", REFUSED),
}

OFFERS = {
    f"{name}, {what}": Case(raw, answers)
    for name, offer in {
        "h2c": OFFER,
        "websocket": WEBSOCKET,
        "TLS": b"Connection: upgrade\r\nUpgrade: TLS/1.0\r\n",
        "two": b"Connection: upgrade\r\nUpgrade: a, b\r\nUpgrade: websocket\r\n",
        "none to name": b"Connection: upgrade\r\n",
        "none to take": b"Upgrade: h2c\r\n",
    }.items()
    for what, raw, answers in (
        ("a body", offering(offer, b"{}"), TAKEN),
        ("chunks", offering(offer, b"{}", chunked=True), TAKEN),
        ("a request as a body", offering(offer, INNER), ("POST / " + INNER.decode(), "GET /end")),
        ("a request in chunks", offering(offer, INNER, chunked=True), ("POST / " + INNER.decode(), "GET /end")),
        (
            "line ends as a body",
            offering(offer, b"\r\n" * 9_000 + INNER),
            ("POST / " + "\r\n" * 9_000 + INNER.decode(), "GET /end"),
        ),
        ("two of them", offering(offer, b"{}") * 2, ("POST / {}", "POST / {}", "GET /end")),
        ("no body", POST + offer + b"\r\n", ("POST /", "GET /end")),
        ("a bad chunk", POST + offer + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n" + INNER, REFUSED),
        ("two lengths", POST + offer + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", REFUSED),
        ("trailers", POST + offer + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nUpgrade: x\r\n\r\n", TAKEN),
    )
}

EXPECTATIONS = {
    "leave to send": Case(POST + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}", ("100", *TAKEN)),
    "leave to send, in large letters": Case(
        POST + b"Expect: 100-Continue\r\nContent-Length: 2\r\n\r\n{}", ("100", *TAKEN)
    ),
    "another expectation": Case(POST + b"Expect: x\r\nContent-Length: 2\r\n\r\n{}", TAKEN),
    "leave to send in HTTP/1.0": Case(
        b"POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n{}", ("POST / {}",)
    ),
}

SEQUENCES = {
    "two at once": Case(sized(b"2") * 2, ("POST / {}", "POST / {}", "GET /end")),
    "two hundred at once": Case(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 200, (*["GET /"] * 200, "GET /end")),
    "one behind a close": Case(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" + INNER, ("GET /",)),
    "one behind HTTP/1.0": Case(b"GET / HTTP/1.0\r\n\r\n" + INNER, ("GET /",)),
    "a bad one behind a good one": Case(sized(b"2") + b"GET / HTTP/1.1\r\nA\r\n\r\n" + INNER, ("POST / {}", "400")),
    "a bad body behind a good one": Case(sized(b"2") + CHUNKED + b"-1\r\n" + INNER, ("POST / {}", "400")),
    "a bad chunk, then a request": Case(CHUNKED + b"2\r\n{}\r\n-1\r\n" + INNER, REFUSED),
    "a good one behind a bad one": Case(b"GET / HTTP/1.1\r\n\r\n" + INNER, REFUSED),
    "line ends between": Case(sized(b"2") + b"\r\n\r\n" + sized(b"2"), ("POST / {}", "POST / {}", "GET /end")),
    "a large body between": Case(
        sized(b"2") + sized(b"9000", body=b"x" * 9_000), ("POST / {}", "POST / " + "x" * 9_000, "GET /end")
    ),
}

LIMITS = {
    "a long target": Case(line(b"GET /" + b"a" * 70_000 + b" HTTP/1.1"), ("431",)),
    "a long query": Case(line(b"GET /?" + b"a" * 70_000 + b" HTTP/1.1"), ("431",)),
    "a long value": Case(header(b"A: " + b"a" * 70_000), ("431",)),
    "a long name": Case(header(b"A" * 70_000 + b": a"), ("431",)),
    "many headers": Case(header(b"\r\n".join([b"A: a"] * 600)), ("431",)),
    "many large headers": Case(header(b"\r\n".join([b"A: " + b"a" * 1_000] * 100)), ("431",)),
    "as many headers as may be": Case(header(b"\r\n".join([b"A: a"] * 511)), GOT),
    "as large a head as may be": Case(header(b"A: " + b"a" * 65_000), GOT),
    "a long method": Case(line(b"GET" * 30_000 + b" / HTTP/1.1"), REFUSED),
    "many line ends before": Case(b"\r\n" * 40_000 + line(b"GET / HTTP/1.1"), ("431",)),
    "a long extension": Case(CHUNKED + b"2;" + b"x" * 70_000 + b"\r\n{}\r\n0\r\n\r\n", ("431",)),
    "many extensions": Case(CHUNKED + (b"1;" + b"x" * 900 + b"\r\n{\r\n") * 200 + b"0\r\n\r\n", ("431",)),
    "a long trailer": Case(CHUNKED + b"0\r\nA: " + b"x" * 70_000 + b"\r\n\r\n", ("431",)),
    "many trailers": Case(CHUNKED + b"0\r\n" + b"A: a\r\n" * 20_000 + b"\r\n", ("431",)),
    "many zeros": Case(CHUNKED + b"0" * 70_000 + b"2\r\n{}\r\n0\r\n\r\n", ("431",)),
    "small chunks": Case(CHUNKED + b"1\r\nx\r\n" * 9_000 + b"0\r\n\r\n", ("POST / " + "x" * 9_000, "GET /end")),
}

KINDS = (LENGTHS, CODINGS, CHUNKS, TRAILERS, FIELDS, LINES, TARGETS, OFFERS, EXPECTATIONS, SEQUENCES, LIMITS)
CASES: dict[str, Case] = {name: case for kind in KINDS for name, case in kind.items()}
