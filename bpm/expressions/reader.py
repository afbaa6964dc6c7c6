"""Reading tokens one after the other, and the names made of several of them."""

from .environment import PLAIN, Environment
from .errors import ExpressionError
from .functions import FUNCTIONS
from .names import Names
from .tokens import Token
from .words import POWERS, SYNONYMS

NOT_IN_NAMES = ("(", ")", "[", "]", "{", "}", ",", ":")


class Reader:
    """Reads tokens from left to right; one use only."""

    def __init__(self, tokens: list[Token], is_feel: bool, source: str = "", environment: Environment = PLAIN) -> None:
        self.tokens = tokens
        self.is_feel = is_feel
        self.source = source
        self.environment = environment
        self.names = Names((), environment.spaced)
        self.at: int = 0
        self.depth = 0

    @property
    def token(self) -> Token:
        """The token to be read next."""
        return self.tokens[self.at]

    def take(self) -> Token:
        """Take the next token."""
        token = self.token
        if token.kind != "end":
            self.at += 1
        return token

    def peek(self, ahead: int = 1) -> Token:
        """The token `ahead` of the next one, or the end."""
        return self.tokens[min(self.at + ahead, len(self.tokens) - 1)]

    def sees(self, *values: str) -> bool:
        """Whether the next token is one of these operators or words."""
        return self.token.kind in ("operator", "name") and self.token.value in values

    def skip(self, value: str) -> bool:
        """Take the next token if it is this operator or word."""
        found = self.sees(value)
        if found:
            self.at += 1
        return found

    def expect(self, *values: str) -> Token:
        """Take the next token, which must be one of these."""
        if not self.sees(*values):
            wanted = " or ".join(repr(value) for value in values)
            raise ExpressionError(f"expected {wanted} instead of {self.token}", self.token.column)
        return self.take()

    def expect_name(self) -> str:
        """Take the next token, which must be a name."""
        if self.token.kind != "name":
            raise ExpressionError(f"expected a name instead of {self.token}", self.token.column)
        return self.known_name() or self.take().value

    def known_name(self) -> str:
        """Take a declared name of several words, such as `Monthly Salary`; empty in front of anything else."""
        token = self.token
        if not self.is_feel or token.kind != "name":
            return ""
        found = self.names.at(self.source, token.column - 1, token.value)
        if found is None:
            return ""
        while self.token.kind != "end" and self.token.column - 1 < found[1]:
            self.at += 1
        return found[0]

    def new_name(self, *ends: str) -> str:
        """Take everything up to one of `ends` as a name, and know it from then on; in FEEL it may have blanks."""
        first = self.token
        if not self.is_feel or first.kind != "name" or self.peek().value in ends:
            return self.expect_name()
        while not self.sees(*ends):
            if self.token.kind == "end" or self.token.value in NOT_IN_NAMES:
                wanted = " or ".join(map(repr, ends))
                raise ExpressionError(f"expected {wanted} instead of {self.token}", self.token.column)
            self.take()
        name = " ".join(self.source[first.column - 1 : self.token.column - 1].split())
        self.names.add(name)
        return name

    def operator(self) -> str:
        """The operator that comes next, by its one name; empty if none does."""
        if self.token.kind not in ("operator", "name"):
            return ""
        word = self.token.value
        if word in ("not", "starts", "ends", "instance", "is"):
            word = f"{word} {self.peek().value}"
        word = SYNONYMS.get(word, word)
        return word if word in POWERS else ""

    def function_name(self) -> str:
        """Take a function's name of one to four words if one stands before a parenthesis."""
        words: list[str] = []
        for ahead in range(4):
            token = self.peek(ahead)
            if token.kind != "name":
                return ""
            words.append(token.value)
            name = " ".join(words)
            if name in self.environment.functions:
                return ""
            if name in FUNCTIONS and self.peek(ahead + 1).value == "(":
                self.at += ahead + 1
                return name
        return ""
