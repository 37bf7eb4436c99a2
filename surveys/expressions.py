"""Formulas such as `${staff} > 10 and selected(${help}, 'call')`: read, and bounded before anything is worked out.

The words are those of XLSForm: `${question}`, `.` for the answer itself, and the functions of FUNCTIONS. A formula
has no paths, no loops and no names of its own; its length and depth are bounded.
"""

from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, TypeAlias

from pydantic import AfterValidator

from surveys.patterns import pattern_problem
from surveys.tokens import BadFormula, Token, name_of, tokens

DEEPEST = 40

FUNCTIONS: dict[str, tuple[int, int]] = {
    "abs": (1, 1), "boolean": (1, 1), "coalesce": (2, 20), "concat": (1, 20), "contains": (2, 2), "count": (1, 1),
    "count-selected": (1, 1), "date": (1, 1), "ends-with": (2, 2), "false": (0, 0), "if": (3, 3), "int": (1, 1),
    "max": (1, 20), "min": (1, 20), "not": (1, 1), "number": (1, 1), "regex": (2, 2), "round": (1, 2),
    "selected": (2, 2), "starts-with": (2, 2), "string": (1, 1), "string-length": (0, 1), "sum": (1, 20),
    "today": (0, 0), "true": (0, 0),
}  # fmt: skip
"""What may be called, with the fewest and the most things it takes."""

LEVELS: tuple[tuple[str, ...], ...] = (
    ("or",), ("and",), ("=", "!="), ("<", "<=", ">", ">="), ("+", "-"), ("*", "div", "mod"),
)  # fmt: skip
"""Operators, those that bind least first."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A text or a number that is written in the formula."""

    value: str | Decimal


@dataclass(frozen=True, slots=True)
class Reference:
    """The answer to a question; `table.column` are the cells of a column, `table.row.column` is one cell."""

    name: str


@dataclass(frozen=True, slots=True)
class Own:
    """The answer that a constraint is about."""


@dataclass(frozen=True, slots=True)
class Call:
    """A function and what it is given."""

    name: str
    given: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """Two things joined by an operator."""

    operator: str
    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class Negative:
    """A number with its sign turned."""

    of: "Node"


Node: TypeAlias = Literal | Reference | Own | Call | Operation | Negative


@dataclass(frozen=True)
class Formula:
    """A formula that was read: its words, what it is made of, and what it asks about."""

    text: str
    root: Node
    references: frozenset[str]
    asks_own: bool
    asks_today: bool


@lru_cache(maxsize=4096)
def formula(text: str) -> Formula:
    """Return what `text` says. Raises BadFormula, whose sentence has no full stop."""
    reader = _Reader(list(tokens(text)))
    root = reader.everything()
    return Formula(text, root, frozenset(reader.references), reader.asks_own, reader.asks_today)


def _checked(text: str) -> str:
    try:
        formula(text)
    except BadFormula as bad:
        raise ValueError(f"the formula can't be used: {bad}") from None
    return text


FormulaText = Annotated[str, AfterValidator(_checked)]
"""A formula as a definition writes it."""


class _Reader:
    """Reads the pieces from left to right."""

    def __init__(self, pieces: list[Token]) -> None:
        self._pieces, self._at, self._depth = pieces, 0, 0
        self.references: set[str] = set()
        self.asks_own = self.asks_today = False

    def everything(self) -> Node:
        if not self._pieces:
            raise BadFormula("the formula is empty")
        root = self._joined(0)
        if self._at < len(self._pieces):
            raise BadFormula(f"'{self._pieces[self._at].text}' stands where the formula should end")
        return root

    def _next(self) -> Token:
        if self._at >= len(self._pieces):
            raise BadFormula("the formula breaks off")
        self._at += 1
        return self._pieces[self._at - 1]

    def _peek(self) -> str:
        return self._pieces[self._at].text if self._at < len(self._pieces) else ""

    def _joined(self, level: int) -> Node:
        """Read what is joined by the operators of one level, from left to right."""
        if level == len(LEVELS):
            return self._signed()
        left = self._joined(level + 1)
        while self._peek() in LEVELS[level] and self._pieces[self._at].kind != "text":
            operator = self._next().text
            left = Operation(operator, left, self._joined(level + 1))
        return left

    def _signed(self) -> Node:
        self._depth += 1
        if self._depth > DEEPEST:
            raise BadFormula("the formula is nested too deeply; divide it with calculate")
        node = self._single()
        self._depth -= 1
        return node

    def _single(self) -> Node:
        piece = self._next()
        if piece.text == "-" and piece.kind == "sign":
            return Negative(self._signed())
        if piece.kind == "number":
            return Literal(Decimal(piece.text))
        if piece.kind == "text":
            return Literal(piece.text[1:-1])
        if piece.kind == "reference":
            self.references.add(name_of(piece))
            return Reference(name_of(piece))
        if piece.kind == "name":
            return self._call(piece.text)
        if piece.text == ".":
            self.asks_own = True
            return Own()
        if piece.text == "(":
            inner = self._joined(0)
            self._expect(")")
            return inner
        raise BadFormula(f"'{piece.text}' stands where a value should be")

    def _call(self, name: str) -> Node:
        if self._peek() != "(":
            raise BadFormula(f"'{name}' is no value; questions are written ${{{name}}}, texts in quotation marks")
        if name not in FUNCTIONS:
            raise BadFormula(f"the function {name}() is not supported")
        self._next()
        given: list[Node] = []
        while self._peek() != ")":
            if given:
                self._expect(",")
            given.append(self._joined(0))
        self._next()
        fewest, most = FUNCTIONS[name]
        if not fewest <= len(given) <= most:
            raise BadFormula(f"{name}() takes {fewest if fewest == most else f'{fewest} to {most}'}, not {len(given)}")
        return self._noted(Call(name, tuple(given)))

    def _noted(self, call: Call) -> Call:
        self.asks_today = self.asks_today or call.name == "today"
        if call.name == "string-length" and not call.given:
            self.asks_own = True
        if call.name == "regex":
            pattern = call.given[1]
            if not isinstance(pattern, Literal) or not isinstance(pattern.value, str):
                raise BadFormula("the pattern of regex() must be a text that stands in the formula")
            if wrong := pattern_problem(pattern.value):
                raise BadFormula(f"the pattern of regex() {wrong}")
        return call

    def _expect(self, sign: str) -> None:
        found = self._next()
        if found.text != sign:
            raise BadFormula(f"'{found.text}' stands where '{sign}' should be")
