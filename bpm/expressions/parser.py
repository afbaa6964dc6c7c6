"""Tokens -> tree, by operator precedence (Pratt), for three dialects in one grammar.

Loosest first: `? :`, `or`, `and`, `not`, comparisons with `in`, `contains` and `between`, `??`, `+ -`,
`* / %`, `**`, then unary `-`, `!` and `empty`, then `.` and `[]`. As in Swift, `??` binds tighter than a
comparison, so that `payload.amount ?? 0 > 100` compares the amount.
"""

from collections.abc import Callable
from typing import Literal as OneOf

from . import syntax
from .bracket_parser import BracketParser
from .environment import PLAIN, Environment
from .errors import ExpressionError
from .marks import ExpressionDialect
from .temporal import function_for
from .tokens import Token, tokenize
from .words import (
    COMPARISON,
    CONDITIONAL,
    CONSTANTS,
    NOT,
    NOT_OPERANDS,
    POWERS,
    SIGN,
    TESTS,
)  # fmt: skip

MAX_SOURCE = 4096
MAX_DEPTH = 64


def parse(source: str, environment: Environment = PLAIN) -> tuple[syntax.Node, ExpressionDialect]:
    """Parse `source` into its tree, and say which dialect its mark names.

    Raises ExpressionError for anything that is not one whole expression.
    """
    if len(source) > MAX_SOURCE:
        raise ExpressionError(f"the expression is longer than {MAX_SOURCE} characters", MAX_SOURCE + 1)
    source = source.rstrip()
    start = len(source) - len(source.lstrip())
    dialect = ExpressionDialect.OWN
    if source.startswith("=", start):
        dialect = ExpressionDialect.FEEL
        start += 1
    elif source.startswith(("${", "#{"), start):
        dialect = ExpressionDialect.JUEL
        start += 2
        if not source.endswith("}"):
            raise ExpressionError("the closing } is missing", len(source) + 1)
        source = source[:-1]
    is_feel = dialect is ExpressionDialect.FEEL
    return Parser(tokenize(source, start), is_feel, source, environment).whole(), dialect


class Parser(BracketParser):
    """Builds the tree."""

    def whole(self) -> syntax.Node:
        """Parse everything; nothing may follow."""
        if len(self.tokens) == 1:
            raise ExpressionError("the expression is empty", self.token.column)
        node = self.expression()
        after = self.token
        if after.kind != "end":
            raise ExpressionError(f"{after} was not expected here", after.column)
        return node

    def expression(self, floor: int = 0) -> syntax.Node:
        """Parse an operand and the operators after it that bind tighter than `floor`."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ExpressionError(f"the expression is nested deeper than {MAX_DEPTH}", self.token.column)
        left = self.operand()
        while (operator := self.operator()) and POWERS[operator] > floor:
            left = self.infix(left, operator)
        self.depth -= 1
        return left

    # Operators between operands

    def infix(self, left: syntax.Node, operator: str) -> syntax.Node:
        """Parse what stands right of `operator`."""
        column = self.take().column
        if " " in operator:
            self.take()
        if operator == "?":
            return self.conditional(left, column)
        if operator == "between":
            return self.between(left, column)
        if operator in ("and", "or"):
            return self.logic(left, operator, column)
        if operator == "is defined":
            return syntax.Call(column, operator, (left,))
        if operator == "instance of":
            return syntax.InstanceOf(column, left, self.kind())
        power = POWERS[operator]
        is_right = operator == "??" or (operator == "**" and not self.is_feel)
        right = self.container() if operator.endswith("in") else self.expression(power - 1 if is_right else power)
        if operator.startswith("not "):
            return syntax.Unary(column, "not", syntax.Binary(column, operator[4:], left, right))
        self.refuse_chain(power)
        return syntax.Binary(column, operator, left, right)

    def refuse_chain(self, power: int) -> None:
        """Refuse `a < b < c`, which other languages read in other ways."""
        if power == COMPARISON and POWERS.get(self.operator()) == COMPARISON:
            raise ExpressionError("comparisons do not chain: join them with 'and'", self.token.column)

    def logic(self, left: syntax.Node, operator: OneOf["and", "or"], column: int) -> syntax.Node:
        """Parse the next part of a chain of `and` or of `or`."""
        right = self.expression(POWERS[operator])
        if isinstance(left, syntax.Logic) and left.operator == operator:
            return syntax.Logic(left.column, operator, (*left.parts, right))
        return syntax.Logic(column, operator, (left, right))

    def conditional(self, test: syntax.Node, column: int) -> syntax.Node:
        """Parse `yes : no` after `test ?`."""
        yes = self.expression()
        self.expect(":")
        return syntax.Conditional(column, test, yes, self.expression())

    def between(self, value: syntax.Node, column: int) -> syntax.Node:
        """Parse `low and high` after `value between`: the range that includes both."""
        low = self.expression(COMPARISON)
        self.expect("and")
        high = self.expression(COMPARISON)
        return syntax.Binary(column, "in", value, syntax.Range(column, low, high, True, True))

    def container(self) -> syntax.Node:
        """Parse what stands right of `in`: a value, a range, or one or several tests such as `> 5`."""
        if self.sees(*TESTS):
            return self.test()
        if self.sees("(") and self.peek().value in TESTS:
            return syntax.ListOf(self.take().column, self.items(")"), are_tests=True)
        return self.expression(COMPARISON)

    # Operands

    def operand(self) -> syntax.Node:
        """Parse a literal, a name, a call, a bracketed or a prefixed expression, then its path."""
        token = self.token
        if token.kind == "number":
            literal = syntax.Literal(token.column, self.take().value)
            return self.path(literal) if self.is_feel and self.sees("[", "(") else literal
        if token.kind == "string":
            return self.path(syntax.Literal(token.column, self.take().value))
        if token.kind == "name":
            return self.path(self.word())
        brackets: dict[str, Callable[[], syntax.Node]] = {
            "(": self.group, "[": self.list_of, "]": self.open_range, "{": self.object_of,
        }  # fmt: skip
        if token.value in brackets:
            return self.path(brackets[token.value]())
        if token.value == "-":
            self.take()
            return syntax.Unary(token.column, "-", self.expression(SIGN))
        if token.value == "@":
            return self.path(self.at_literal())
        if token.value == "!":
            self.take()
            return syntax.Unary(token.column, "not", self.expression(SIGN))
        raise ExpressionError(f"expected a value instead of {token}", token.column)

    def word(self) -> syntax.Node:
        """Parse an operand that starts with a word: constant, keyword, call or name."""
        column, word = self.token.column, self.token.value
        if function := self.function_name():
            return self.call(function, column)
        if name := self.known_name():
            return syntax.Name(column, name)
        if word == "not":
            self.take()
            return syntax.Unary(column, "not", self.expression(SIGN if self.sees("(") else NOT))
        if word == "if":
            return self.if_then_else()
        if word in ("for", "some", "every") and self.starts_loop():
            return self.loop(self.take())
        if word == "function" and self.peek().value == "(":
            return self.function()
        if word == "empty" and (self.peek().kind in ("name", "string") or self.peek().value == "("):
            self.take()
            return syntax.Unary(column, "empty", self.expression(SIGN))
        if word in NOT_OPERANDS:
            raise ExpressionError(f"expected a value instead of {self.token}", column)
        self.take()
        if word in CONSTANTS:
            return syntax.Literal(column, CONSTANTS[word])
        return syntax.Name(column, word)

    def starts_loop(self) -> bool:
        """Whether a name and `in` follow, the name in FEEL perhaps of several words."""
        ahead = 1
        while self.is_feel and self.peek(ahead).kind == "name" and self.peek(ahead + 1).value != "in":
            ahead += 1
        return self.peek(ahead).kind == "name" and self.peek(ahead + 1).value == "in"

    def at_literal(self) -> syntax.Node:
        """Parse FEEL's `@"2026-05-01"`, a date, time or duration by the look of its text."""
        column = self.take().column
        if self.token.kind != "string":
            raise ExpressionError(f'expected a text such as "2026-05-01" after @ instead of {self.token}', column)
        text = syntax.Literal(self.token.column, self.take().value)
        return syntax.Call(column, function_for(text.value, column), (text,))

    def if_then_else(self) -> syntax.Node:
        """Parse `if test then yes else no`."""
        column = self.take().column
        test = self.expression()
        self.expect("then")
        yes = self.expression()
        self.expect("else")
        return syntax.Conditional(column, test, yes, self.expression())

    def loop(self, opening: Token, is_inner: bool = False) -> syntax.Node:
        """Parse `x in list return body` after `for`, `some` or `every`; several lists make one loop in another."""
        variable = self.new_name("in")
        self.expect("in")
        domain = self.expression(CONDITIONAL)
        if self.skip(".."):
            domain = syntax.Steps(opening.column, domain, self.expression(CONDITIONAL))
        if self.skip(","):
            kind = "each" if opening.value == "for" else opening.value
            return syntax.Loop(opening.column, kind, variable, domain, self.loop(opening, True), is_inner)
        self.expect("return" if opening.value == "for" else "satisfies")
        return syntax.Loop(opening.column, opening.value, variable, domain, self.expression(), is_inner)
