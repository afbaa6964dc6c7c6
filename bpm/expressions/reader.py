"""Reading tokens one after the other, and the names made of several of them."""

from .errors import ExpressionError
from .functions import FUNCTIONS, TYPES
from .tokens import Token
from .words import POWERS, SYNONYMS


class Reader:
    """Reads tokens from left to right; one use only."""

    def __init__(self, tokens: list[Token], is_feel: bool) -> None:
        self.tokens = tokens
        self.is_feel = is_feel
        self.at = 0
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
        return self.take().value

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
            if name in FUNCTIONS and self.peek(ahead + 1).value == "(":
                self.at += ahead + 1
                return name
        return ""

    def type_name(self) -> str:
        """Parse the name of a type, of up to four words."""
        for count in range(4, 0, -1):
            name = " ".join(str(self.peek(ahead).value) for ahead in range(count))
            if name in TYPES:
                self.at += count
                return name
        raise ExpressionError(
            f"expected a type such as string, number or list instead of {self.token}", self.token.column
        )
