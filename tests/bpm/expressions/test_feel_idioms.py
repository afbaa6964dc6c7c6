"""FEEL as found in models of others; expected values by DMN 1.3 and its compatibility kit."""

from typing import Any

import pytest

from bpm.expressions import EvaluationError, ExpressionError, compile_expression
from bpm.number import Number

SCOPE = {
    "status": "OK",
    "amount": 150,
    "people": [{"name": "Bo", "age": 40}, {"name": "Al", "age": 12}, {"name": "Cy", "age": 12}],
    "lines": [{"item": "pen", "n": 2}, {"item": "ink", "n": 1}],
    "due": "2026-01-31",
}


def evaluate(source: str):
    """The value of `source` as a process condition or mapping would see it."""
    return compile_expression(source, missing="null").evaluate(SCOPE)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        # contexts see their own entries
        ("={net: amount, gross: net * 2, deep: {more: gross + 1}}",
         {"net": 150, "gross": 300, "deep": {"more": 301}}),
        ("={amount: 1, twice: amount * 2}.twice", 2),
        ("={a: 1}.b", None),
        # filters
        ('=lines[item = "ink"].n', [1]),
        ("=count(people[age < 18])", 2),
        ("=[1, 2, 3, 4][item > 2]", [3, 4]),
        ("=people[age < 18][1].name", "Al"),
        # in
        ('="ok" in "not ok"', False),
        ('=status in ("OK", "GONE")', True),
        ("=amount in (> 100)", True),
        ("=amount in (< 10, > 1000)", False),
        ("=amount in > 100", True),
        ("=amount in (1, [100..200])", True),
        ("=1 in 1", True),
        ("=1 in ([1, 2], 5)", True),
        ("=5 in ([1..3], [4..6])", True),
        ("=[1] in ([1], 5)", True),
        ("=[1] in ([2], 5)", False),
        ("=amount in (100, [140..160])", True),
        ('=5 in (> "x", 5)', True),
        ('=5 in (> "x", 6)', None),
        ("=null in (> 5, null)", True),
        # logic
        ('=status or true', True),
        ('=status and false', False),
        ('=if status then 1 else 2', 2),
        ("=not(null)", None),
        ("=null = null", True),
        ('=null + "x"', None),
        # loops over several lists
        ("=for a in [1, 2], b in [10, 20] return a * b", [10, 20, 20, 40]),
        ("=for a in 1..2, b in 1..a return b", [1, 1, 2]),
        ("=some p in people, l in lines satisfies p.age = l.n", False),
        ("=every p in people, l in lines satisfies p.age > l.n", True),
        # sorting
        ("=sort([3, 1, 2], function(a, b) a < b)", [1, 2, 3]),
        ("=sort(people, function(x, y) x.age < y.age).name", ["Al", "Cy", "Bo"]),
        ("=sort([2, 1], function(a, b) missing)", [2, 1]),
        ("=sort([2, 1], 5)", None),
        # types
        ("=amount instance of number", True),
        ("=status instance of number", False),
        ("=null instance of Any", False),
        ("=people instance of list and lines[1] instance of context", True),
        ('=date(due) instance of date', True),
        ('=duration("P1D") instance of days and time duration', True),
        # literals
        ('=@"2026-01-31" > @"2026-01-30"', True),
        ('=@"2026-01-31T10:00:00" - @"PT1H"', "2026-01-31T09:00:00"),
        ('=@"10:30:00".minute', 30),
        ('=string(@"P1Y6M")', "P1Y6M"),
        ("=.5 + 1", 1.5),
        ("=2 ** 3 ** 2", 64),
        ("=amount // a comment\n + 1 /* and\nanother */", 151),
        ('="\\uD83D\\uDE00"', "😀"),
        ('="\\U01F40E"', "🐎"),
        ('="a\\nb"', "a\nb"),
        # texts
        ('=split("a b", "\\s")', ["a", "b"]),
        ('=split("a|b", "\\|")', ["a", "b"]),
        ('=split("a1b", "\\d")', None),
        ('=substring before("abc", "")', ""),
        ('=substring after("abc", "")', "abc"),
        ('=string join(["a", null, "b"], null)', "ab"),
        ('=number("1.234,5", ".", ",")', 1234.5),
        # durations
        ('=(date(due) - date("2026-01-01")).days', 30),
        ('=duration("P1DT2H3M4S").hours', 2),
        ('=duration("-PT90M").minutes', -30),
        ('=duration("P1Y2M").years', 1),
        ('=duration("P14M").months', 2),
        ('=duration("PT1H") * 3', "PT3H"),
        ('=2 * duration("P1M")', "P2M"),
        ('=duration("P1D") / 4', "PT6H"),
        ('=duration("P1D") / duration("PT6H")', 4),
        ('=duration("P1Y") / duration("P6M")', 2),
        ('=-duration("P1D")', "-P1D"),
        ('=abs(duration("-P1Y"))', "P1Y"),
        ('=duration("P1Y") + duration("P0M")', "P1Y"),
        ('=duration("P1D") * duration("P1D")', None),
        ('=duration("P1D") / 0', None),
        # dates and times
        ('=time("23:30:00") + duration("PT1H")', "00:30:00"),
        ('=time("10:30:00") - time("09:00:00")', "PT1H30M"),
        ('=date and time("2026-01-02T10:00:00Z") - date("2026-01-01")', "P1DT10H"),
        ('=date and time("2026-01-15T10:00:00@Europe/Berlin")', "2026-01-15T10:00:00+01:00"),
        ('=date and time("2026-07-15T10:00:00@Europe/Berlin")', "2026-07-15T10:00:00+02:00"),
        ('=date and time("2026-01-15T10:00:00@Middle/Earth")', None),
        ("=time(10, 30, 0)", "10:30:00"),
        ("=time(10, 99, 0)", None),
        ('=years and months duration(date("2011-12-22"), date("2013-08-24"))', "P1Y8M"),
        ('=years and months duration(date("2013-08-24"), date("2011-12-25")).months', -7),
        ("=day of week(date(due))", "Saturday"),
        ("=day of year(date(due))", 31),
        ("=month of year(date(due))", "January"),
        ("=week of year(date(due))", 5),
        ('=last day of month(date("2028-02-03"))', "2028-02-29"),
        ('=cycle(duration("PT1H"))', "R/PT1H"),
        ('=cycle(3, duration("PT1H"))', "R3/PT1H"),
        # numbers
        ("=round half up(2.5, 0)", 3),
        ("=round half up(-1.25, 1)", -1.3),
        ("=round half down(2.5)", 2),
        ("=round up(1.121, 2)", 1.13),
        ("=round down(-1.129, 2)", -1.12),
        ("=floor(-1.56, 1)", -1.6),
        ("=ceiling(1.51, 1)", 1.6),
        ("=sqrt(16)", 4),
        ("=modulo(10, 0)", None),
        ("=modulo(1.5, 0)", None),
        ("=sqrt(-1)", None),
        ("=log(0)", None),
        ("=exp(0)", 1),
        ("=even(4) and odd(3)", True),
        ("=median([8, 2, 5, 3, 4])", 4),
        ("=median(1, 2)", 1.5),
        ("=mode([6, 3, 9, 6, 6])", [6]),
        ("=stddev(2, 4, 7, 5)", Number("2.081665999466132735282297706979931")),
        ("=stddev([1])", None),
        # lists and contexts
        ("=insert before([1, 3], 2, 2)", [1, 2, 3]),
        ("=remove([1, 2, 3], -1)", [1, 2]),
        ("=remove([1], 5)", None),
        ("=list replace([1, 2], 2, 9)", [1, 9]),
        ("=union([1, 2], [2, 3])", [1, 2, 3]),
        ("=duplicate values([1, 2, 1, 3, 2])", [1, 2]),
        ("=is empty([])", True),
        ('=context put({a: 1}, "b", 2)', {"a": 1, "b": 2}),
        ('=context put({a: {b: 1}}, ["a", "c"], 2)', {"a": {"b": 1, "c": 2}}),
        ("=context put({a: 1}, [], 2)", None),
        ('=get value({a: {b: 1}}, ["a", "b"])', 1),
        ('=get value({a: {b: 1}}, ["a", "c"])', None),
        ('=get value({a: 1}, ["a", "b"])', None),
        ("=get value({a: 1}, [])", None),
        ("=context merge([{a: 1}, {b: 2}, {a: 3}])", {"a": 3, "b": 2}),
        ('=context([{key: "a", value: 1}])', {"a": 1}),
        ("=context([1])", None),
    ],
)  # fmt: skip
def test_idioms_mean_what_dmn_says(source: str, value: Any) -> None:
    """Each has the value that the standard gives it, null where an operation does not fit."""
    assert evaluate(source) == value


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ('="\\uD83D"', "half a surrogate pair"),
        ('=@"soon"', '@"soon" is no date, time or duration'),
        ("=@5", "after @"),
        ("=> 5", "expected a value instead of '>'"),
        ("=amount instance of money", "expected a type such as"),
        ("${count(function(a) a)}", "only sort\\(\\) takes one"),
        ("${count(> 5)}", "stands only after 'in'"),
        ("=matches(a, b)", "a regular expression can run for hours"),
        ("${list.size() > 0}", r"\.size\(\) can't be called; write count\(list\)"),
        ("${status.equals('OK')}", r"\.equals\(\) can't be called; write a == b"),
        ("${bean.anything()}", "only the built-in functions"),
    ],
)
def test_what_cannot_be_read_is_refused(source: str, says: str) -> None:
    """With a sentence that says what to write instead."""
    with pytest.raises(ExpressionError, match=says):
        compile_expression(source, "null")


def test_a_functions_turns_are_bounded() -> None:
    """Sorting a long list by a function that loops ends with an error, not with a hang."""
    source = "=sort(for i in 1..3000 return i, function(a, b) sum(for j in 1..100 return j) > a)"
    with pytest.raises(EvaluationError, match="take more than 75000 steps"):
        compile_expression(source, "null").evaluate({})
