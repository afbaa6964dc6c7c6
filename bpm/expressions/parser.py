"""Tokens -> tree, by operator precedence (Pratt), for three dialects in one grammar.

Loosest first: `? :`, `or`, `and`, `not`, comparisons with `in`, `contains` and `between`, `??`, `+ -`,
`* / %`, `**`, then unary `-`, `!` and `empty`, then `.` and `[]`. As in Swift, `??` binds tighter than a
comparison, so that `payload.amount ?? 0 > 100` compares the amount.
"""

from collections.abc import Callable
from typing import Literal as OneOf

from . import syntax
from .environment import PLAIN, Environment
from .errors import ExpressionError
from .functions import FUNCTIONS, nearest_function
from .functions.parameters import form_with
from .kind_reader import KindReader
from .kinds import Kind
from .temporal import function_for
from .tokens import Token, tokenize
from .words import (
    BOOLEAN,
    COMPARISON,
    CONDITIONAL,
    CONSTANTS,
    METHODS,
    NOT,
    NOT_OPERANDS,
    POWERS,
    SIGN,
    TESTS,
)  # fmt: skip

MAX_SOURCE = 4096
MAX_DEPTH = 64


def parse(source: str, environment: Environment = PLAIN) -> tuple[syntax.Node, bool]:
    """Parse `source` into its tree, and say whether it was marked as FEEL by a leading `=`.

    Raises ExpressionError for anything that is not one whole expression.
    """
    if len(source) > MAX_SOURCE:
        raise ExpressionError(f"the expression is longer than {MAX_SOURCE} characters", MAX_SOURCE + 1)
    source = source.rstrip()
    start = len(source) - len(source.lstrip())
    is_feel = source.startswith("=", start)
    if is_feel:
        start += 1
    elif source.startswith(("${", "#{"), start):
        start += 2
        if not source.endswith("}"):
            raise ExpressionError("the closing } is missing", len(source) + 1)
        source = source[:-1]
    return Parser(tokenize(source, start), is_feel, source, environment).whole(), is_feel


class Parser(KindReader):
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
            return syntax.ListOf(self.take().column, self.items(")"))
        return self.expression(COMPARISON)

    def test(self) -> syntax.Node:
        """Parse `> value`."""
        operator = self.take()
        return syntax.Test(operator.column, operator.value, self.expression(COMPARISON))

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

    def function(self) -> syntax.Node:
        """Parse `function(a, b: number) body`."""
        column = self.take().column
        self.expect("(")
        parameters: dict[str, Kind] = {}
        while not self.skip(")"):
            if parameters:
                self.expect(",", ")")
            name = self.new_name(",", ":", ")")
            if name in parameters:
                raise ExpressionError(f"two parameters are called {name}", column)
            parameters[name] = self.kind_after_colon()
        if self.sees("external"):
            raise ExpressionError("external functions are not evaluated; write the body in FEEL", self.token.column)
        return syntax.Function(column, tuple(parameters), tuple(parameters.values()), self.expression())

    def call(self, function: str, column: int) -> syntax.Node:
        """Parse the arguments of a built-in function."""
        self.expect("(")
        arguments, names = self.arguments()
        kinds: tuple[str, ...] = ()
        if names:
            arguments, kinds = self.placed(function, arguments, names, column)
        built_in = FUNCTIONS[function]
        if not built_in.least <= len(arguments) <= built_in.most:
            count = len(arguments)
            raise ExpressionError(f"{function}() takes {built_in.arity} arguments, not {count}", column)
        return syntax.Call(column, function, arguments, kinds)

    def placed(
        self, function: str, arguments: tuple[syntax.Node, ...], names: tuple[str, ...], column: int
    ) -> tuple[tuple[syntax.Node, ...], tuple[str, ...]]:
        """Named arguments in the order of the parameters, null for one left out between others; and their types."""
        form = form_with(function, names)
        if not form:
            raise ExpressionError(f"{function}() has no parameters {', '.join(names)}", column)
        given = dict(zip(names, arguments, strict=True))
        while form[-1][0] not in given:
            form = form[:-1]
        placed = tuple(given.get(name) or syntax.Literal(column, None) for name, _ in form)
        return placed, tuple(kind for _, kind in form)

    def arguments(self) -> tuple[tuple[syntax.Node, ...], tuple[str, ...]]:
        """Parse arguments up to the closing bracket, and their names, which all have or none."""
        arguments: list[syntax.Node] = []
        names: list[str] = []
        while not self.skip(")"):
            if arguments:
                self.expect(",", ")")
            if name := self.argument_name():
                names.append(name)
            arguments.append(self.test() if self.sees(*TESTS) else self.expression())
        if names and len(names) != len(arguments):
            raise ExpressionError("either all arguments have names, or none", self.token.column)
        return tuple(arguments), tuple(names)

    def argument_name(self) -> str:
        """Take FEEL's `name:` in front of an argument if it is there."""
        start = self.at
        if self.is_feel and self.token.kind == "name":
            words = [self.known_name()]
            while not words[0] and self.token.kind == "name":
                words.append(self.take().value)
            if self.skip(":"):
                return words[0] or " ".join(words[1:])
        self.at = start
        return ""

    def items(self, closing: str) -> tuple[syntax.Node, ...]:
        """Parse expressions between commas up to the closing bracket."""
        items: list[syntax.Node] = []
        while not self.skip(closing):
            if items:
                self.expect(",", closing)
            items.append(self.test() if self.sees(*TESTS) else self.expression())
        return tuple(items)

    def path(self, target: syntax.Node) -> syntax.Node:
        """Parse the `.name` and `[key]` after an operand."""
        while self.sees(".", "[", "(") and (self.is_feel or not isinstance(target, syntax.Range)):
            column = self.token.column
            if self.is_feel and self.sees("(") and self.is_callable(target):
                self.take()
                target = syntax.Apply(column, target, *self.arguments())
            elif self.skip("."):
                target = syntax.Member(column, target, self.expect_name())
            elif self.sees("[") and not self.starts_filter():
                break
            elif self.skip("["):
                target = self.bracket(target, column)
            elif isinstance(target, syntax.Name):
                raise ExpressionError(nearest_function(target.name), target.column)
            elif isinstance(target, syntax.Member) and target.key in METHODS:
                raise ExpressionError(f"methods such as .{target.key}() can't be called; {METHODS[target.key]}", column)
            else:
                raise ExpressionError("only the built-in functions can be called", column)
        return target

    def starts_filter(self) -> bool:
        """Whether a value follows the bracket, which otherwise closes a range such as `]1..5[`."""
        after = self.peek()
        if after.kind == "operator":
            return after.value in ("(", "[", "{", "]", "-", "@", "!")
        return after.kind != "end" and after.value not in NOT_OPERANDS

    def is_callable(self, target: syntax.Node) -> bool:
        """Whether a function may stand there; outside of a model, Java's methods are likelier on a name's members."""
        return self.environment.is_model or not (isinstance(target, syntax.Member) and target.key in METHODS)

    def bracket(self, target: syntax.Node, column: int) -> syntax.Node:
        """Parse `key]`, and tell a key from a filter's condition."""
        key = self.expression()
        self.expect("]")
        if isinstance(key, syntax.Unary) and isinstance(key.operand, syntax.Literal) and key.operator == "-":
            key = syntax.Literal(key.column, -key.operand.value)
        if isinstance(key, syntax.Literal) and type(key.value) in (int, str):
            return syntax.Member(column, target, self.position(key))
        if _is_condition(key):
            return syntax.Filter(column, target, key)
        return syntax.Index(column, target, key)

    def position(self, key: syntax.Literal) -> str | int:
        """A constant key; FEEL counts elements from 1."""
        if not self.is_feel or isinstance(key.value, str) or key.value < 0:
            return key.value
        if key.value == 0:
            raise ExpressionError("FEEL counts from 1: the first element is [1]", key.column)
        return key.value - 1

    def group(self) -> syntax.Node:
        """Parse `(expression)`, the open range `(low..high]`, or the tests of `x in (a, b)`."""
        opening = self.take()
        if self.is_feel and self.sees(*TESTS):
            test = self.test()
            self.expect(")")
            return test
        first = self.expression()
        if self.sees(".."):
            return self.range_of(opening, first)
        if self.sees(","):
            self.take()
            return syntax.ListOf(opening.column, (first, *self.items(")")))
        self.expect(")")
        return first

    def list_of(self) -> syntax.Node:
        """Parse `[a, b]` or the closed range `[low..high]`."""
        opening = self.take()
        if self.skip("]"):
            return syntax.ListOf(opening.column, ())
        first = self.expression()
        if self.sees(".."):
            return self.range_of(opening, first)
        if self.skip("]"):
            return syntax.ListOf(opening.column, (first,))
        self.expect(",", "]")
        return syntax.ListOf(opening.column, (first, *self.items("]")))

    def open_range(self) -> syntax.Node:
        """Parse `]low..high[`, FEEL's other way to write open ends."""
        return self.range_of(self.take(), self.expression())

    def range_of(self, opening: Token, low: syntax.Node) -> syntax.Node:
        """Parse `..high` and the closing bracket, which says whether the end is included."""
        self.expect("..")
        high = self.expression()
        closing = self.expect("]", ")", "[")
        return syntax.Range(opening.column, low, high, opening.value == "[", closing.value == "]")

    def object_of(self) -> syntax.Node:
        """Parse `{name: value}`."""
        column = self.take().column
        entries: list[tuple[str, syntax.Node]] = []
        while not self.skip("}"):
            if entries:
                self.expect(",", "}")
            column_of_name = self.token.column
            name = self.take().value if self.token.kind == "string" else self.new_name(":")
            if self.is_feel and any(name == known for known, _ in entries):
                raise ExpressionError(f"the entry {name} stands twice", column_of_name)
            self.names.add(name)
            self.expect(":")
            entries.append((name, self.expression()))
        return syntax.ObjectOf(column, tuple(entries))

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


def _is_condition(node: syntax.Node) -> bool:
    """Whether a bracket holds a filter's condition: anything that can only be true or false."""
    match node:
        case syntax.Logic() | syntax.Loop(kind="some" | "every") | syntax.Unary(operator="not" | "empty"):
            return True
        case syntax.Binary(operator=operator):
            return operator in BOOLEAN
        case syntax.Call(function=function):
            return FUNCTIONS[function].is_condition
        case _:
            return False
