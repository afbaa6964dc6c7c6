"""Sources of scripts: whatever compiles reads attributes through the guards, and binds none of their names."""

from hypothesis import strategies as st

from tests.scripts.child.test_reach import STATEMENTS, check_program

PIECES = [
    *("__", "_getattr_", "class X", "(", ")", "[", "]", "{", "}", ":", "\n", "    ", "=", ":=", ".", ",", "*", "**"),
    *(
        "def f",
        "lambda",
        "match x:\n    case ",
        "import ",
        "from ",
        "global ",
        "f'",
        "'",
        '"""',
        "@",
        "async ",
        "await ",
    ),
    *(
        "try:",
        "except* ",
        "with ",
        "for ",
        " in ",
        "yield ",
        "x",
        "json",
        "1",
        "\\",
        "\0",
        "\r",
        "\ufeff",
        "\uff3f",
        "\u017f",
    ),
]


def fuzz(data: st.DataObject) -> None:
    """Raise when a program passes that touches something past the guards, or when the compiler breaks."""
    if data.draw(st.booleans()):
        source = "\n".join(data.draw(st.lists(STATEMENTS, min_size=1, max_size=6)))
    else:
        source = "".join(data.draw(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=3)), max_size=20)))
    check_program(source)
