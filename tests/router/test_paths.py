"""Paths of rules and of requests."""

from urllib.parse import unquote

import pytest

from router.paths import decode_path, normalise, shape, values_at


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("orders", "orders"),
        (" /orders/paid/ ", "orders/paid"),
        ("/webhooks/nibss/payment", "nibss/payment"),
        ("webhook/nibss", "nibss"),
        ("/api/webhooks/nibss/payment", "nibss/payment"),
        ("api/orders", "orders"),
        ("orders/api/webhooks", "orders/api/webhooks"),
        ("orders/{orderId}/lines/{line_2}", "orders/{orderId}/lines/{line_2}"),
        ("a.b/c-d/e_f/~g/h:i@j", "a.b/c-d/e_f/~g/h:i@j"),
        ("mono/account", "mono/account"),
        ("123/x", "123/x"),
        ("/".join("x" * 20), "/".join("x" * 20)),
    ],
)
def test_a_path_is_kept_without_what_every_address_has(written: str, kept: str) -> None:
    """Slashes around it, `api/`, `webhook/` and `webhooks/` before it are dropped, and nothing else."""
    assert normalise(written) == kept
    assert normalise(kept) == kept


@pytest.mark.parametrize("written", ["/api/api/x", "webhooks/api/x", "api/webhooks/webhook/x"])
def test_a_kept_path_stays_as_it_is(written: str) -> None:
    """A configuration that is saved again as it was shown answers where it did."""
    assert normalise(normalise(written)) == normalise(written) == "x"


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("", "at least one segment"),
        (" / ", "at least one segment"),
        ("/api/webhooks/", "at least one segment"),
        ("a//b", "''"),
        ("a/../b", "'..'"),
        ("./a", "'.'"),
        ("a b", "'a b'"),
        ("a%20b", "'a%20b'"),
        ("bücher", "bücher"),
        ("a?b=1", "can't stand in an address"),
        ("a#b", "can't stand in an address"),
        ("a/{}", "'{}'"),
        ("a/x{id}", "'x{id}'"),
        ("a/{1st}", "'{1st}'"),
        ("a/{id}/{id}", "stands twice"),
        ("/".join("x" * 21), "at most 20 segments"),
        ("remita", "Remita"),
        ("/api/webhooks/remita/other", "Remita"),
        ("mono/callback", "/api/webhooks/mono/callback"),
        ("42", "subscription address /api/webhooks/42"),
        ("42/logs", "subscription address /api/webhooks/42/logs"),
        ("{key}", "every key"),
        ("{id}/logs", "every key"),
    ],
)
def test_a_path_that_no_rule_can_have_is_refused(written: str, says: str) -> None:
    """Segments that no address has, repeated parameters and taken addresses are refused with what is wrong."""
    with pytest.raises(ValueError, match=says.replace("{", r"\{").replace("?", r"\?")):
        normalise(written)


def test_paths_that_differ_in_names_only_have_one_shape() -> None:
    """The names of parameters do not tell two paths apart."""
    assert shape("orders/{id}/x") == shape("orders/{number}/x") == "orders/{}/x"
    assert shape("orders/id/x") != shape("orders/{id}/x")


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        ("a/b", "a/b"),
        ("%61/b%2Dc", "a/b-c"),
        ("a%2Fb/c", "a%2Fb/c"),
        ("a%2fb", "a%2Fb"),
        ("100%25/x", "100%25/x"),
        ("%252F", "%252F"),
        ("caf%C3%A9", "café"),
        ("%FF", "\ufffd"),
        ("%zz%", "%25zz%25"),
        ("a%00b", "a\0b"),
    ],
)
def test_an_address_is_read_segment_by_segment(raw: str, path: str) -> None:
    """Percent-encoding is undone but for the slash inside a segment, which makes no new one."""
    assert decode_path(unquote(raw), raw.encode()) == path


@pytest.mark.parametrize(
    ("raw", "value"),
    [("A-1", "A-1"), ("INV%2F2026%2F7", "INV/2026/7"), ("%252F", "%2F"), ("%E2%82%AC%25", "€%"), ("%zz", "%zz")],
)
def test_a_parameter_has_the_value_that_was_meant(raw: str, value: str) -> None:
    """The value of a parameter is decoded once, whole."""
    assert values_at("orders/{id}", decode_path("", f"orders/{raw}".encode()) if "%" in raw else f"orders/{raw}") == {
        "id": value
    }


@pytest.mark.parametrize("path", ["orders", "orders/", "orders/1/x", "invoices/1"])
def test_another_address_has_no_values(path: str) -> None:
    """A path that the rule does not answer gives no values."""
    assert values_at("orders/{id}", path) is None
