"""IoT Hub's query language, read into functions over JSON documents (iot-hub-devguide-query-language).

    SELECT [TOP n] * | item [AS name], … FROM devices | devices.modules | devices.jobs
        [WHERE condition] [GROUP BY path, …]

A condition has comparisons, AND, OR, NOT, IN, NIN and functions. A member that a document does not have is
`UNDEFINED`: whatever is asked of it is undefined too, and only what is true is selected.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from harness.emulator.errors import ServiceError
from harness.emulator.hub.queryvalues import AGGREGATES, FUNCTIONS, UNDEFINED, compare, negate, order

Document = Mapping[str, Any]
Expression = Callable[[Document], Any]

MAX_LENGTH = 16 * 1024
MAX_DEPTH = 50
_SOURCES = ("devices", "devices.modules", "devices.jobs")
_RESERVED = frozenset(
    ("select", "top", "from", "where", "group", "by", "as", "and", "or", "not", "in", "nin", "true", "false", "null")
)
_TOKEN: Final = re.compile(
    r"""\s*(?:
        (?P<string>'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.)*")
      | (?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
      | (?P<name>[A-Za-z_$][A-Za-z0-9_$]*)
      | (?P<quoted>\[\[[^\]]+\]\])
      | (?P<sign><=|>=|!=|<>|[=<>()\[\],.*])
      | (?P<end>$)
    )""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that is selected: an expression, or an aggregate over one (None for a bare count)."""

    name: str
    expression: Expression | None
    aggregate: str | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """`items` is None for `*`; `top` None for no limit."""

    source: str
    items: tuple[Item, ...] | None
    where: Expression | None
    group_by: tuple[Expression, ...]
    top: int | None

    @property
    def aggregates(self) -> bool:
        return bool(self.group_by) or any(item.aggregate for item in self.items or ())


def parse(text: str) -> Query:
    """Read a query. Raises ServiceError 400004 that says where it went wrong."""
    if len(text) > MAX_LENGTH:
        raise ServiceError(400004, f"the query is longer than {MAX_LENGTH} characters")
    return _Parser(text).query()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0
        self._prefix = ""
        self._next()

    # --- tokens --------------------------------------------------------------------------------------

    def _next(self) -> None:
        found = _TOKEN.match(self._text, self._at)
        if found is None or found.lastgroup is None:
            raise self._error(self._at, "nothing that the query language knows")
        self._kind, self._value = found.lastgroup, found[found.lastgroup]
        self._start, self._at = found.start(found.lastgroup), found.end()

    def _error(self, at: int, what: str) -> ServiceError:
        return ServiceError(400004, f"the query is wrong at character {at + 1}: {what}")

    def _unexpected(self, wanted: str) -> ServiceError:
        return self._error(self._start, f"{self._value or 'its end'!r} where {wanted} should be")

    def _is(self, *words: str) -> bool:
        return self._kind in ("name", "sign") and self._value.lower() in words

    def _accept(self, *words: str) -> bool:
        if self._is(*words):
            self._next()
            return True
        return False

    def _expect(self, word: str) -> None:
        if not self._accept(word):
            raise self._unexpected(word.upper())

    def _number(self) -> int:
        if self._kind != "number" or not self._value.isdigit() or len(self._value) > 9:
            raise self._unexpected("a whole number")
        value = int(self._value)
        self._next()
        return value

    # --- clauses -------------------------------------------------------------------------------------

    def query(self) -> Query:
        self._expect("select")
        top = self._number() if self._accept("top") else None
        # What is selected may name the source, which comes later.
        begin = (self._at, self._start, self._kind, self._value)
        items = self._items()
        source = self._source()
        self._prefix = source
        end = (self._at, self._start, self._kind, self._value)
        if items is not None:
            self._at, self._start, self._kind, self._value = begin
            items = self._items()
            self._at, self._start, self._kind, self._value = end
        where = self._or() if self._accept("where") else None
        group_by = self._group_by()
        if self._kind != "end":
            raise self._unexpected("the end of the query")
        return Query(source, items, where, group_by, top)

    def _items(self) -> tuple[Item, ...] | None:
        if self._accept("*"):
            return None
        items = [self._item(1)]
        while self._accept(","):
            items.append(self._item(len(items) + 1))
        return tuple(items)

    def _item(self, number: int) -> Item:
        word = self._value.lower()
        if self._kind == "name" and word in AGGREGATES and self._text[self._at :].lstrip().startswith("("):
            self._next()
            self._expect("(")
            expression = None if self._is(")", "*") else self._path()[1]
            if expression is None:
                self._accept("*")
            if expression is None and word != "count":
                raise self._unexpected("a property")
            self._expect(")")
            return Item(self._alias(f"${number}"), expression, word)
        name, expression = self._path()
        return Item(self._alias(name), expression)

    def _alias(self, default: str) -> str:
        if not self._accept("as"):
            return default
        return self._member("a name")

    def _source(self) -> str:
        self._expect("from")
        start, words = self._start, [self._member("devices")]
        while self._accept("."):
            words.append(self._member("modules or jobs"))
        source = ".".join(words).lower()
        if source not in _SOURCES:
            raise self._error(start, f"{source!r} is none of {', '.join(_SOURCES)}")
        return source

    def _group_by(self) -> tuple[Expression, ...]:
        if not self._accept("group"):
            return ()
        self._expect("by")
        paths = [self._path()[1]]
        while self._accept(","):
            paths.append(self._path()[1])
        return tuple(paths)

    # --- conditions ----------------------------------------------------------------------------------

    def _or(self) -> Expression:
        sides = [self._and()]
        while self._accept("or"):
            sides.append(self._and())
        return _any_side(sides, True)

    def _and(self) -> Expression:
        sides = [self._not()]
        while self._accept("and"):
            sides.append(self._not())
        return _any_side(sides, False)

    def _not(self) -> Expression:
        if not self._accept("not"):
            return self._comparison()
        with self._deeper():
            inner = self._not()
        return lambda document: negate(inner(document))

    @contextmanager
    def _deeper(self) -> Iterator[None]:
        """One level of nesting: whatever leads back to a condition or an operand goes through here."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._error(self._start, f"nested deeper than {MAX_DEPTH}")
        yield
        self._depth -= 1

    def _comparison(self) -> Expression:
        left = self._operand()
        if self._is("=", "!=", "<>"):
            equal = self._value == "="
            self._next()
            right = self._operand()
            return lambda document: compare(left(document), right(document), equal)
        if self._is("<", ">", "<=", ">="):
            sign = self._value
            self._next()
            right = self._operand()
            return lambda document: order(left(document), right(document), sign)
        if self._is("in", "nin"):
            return self._membership(left, self._value.lower() == "nin")
        if self._is("not"):
            self._next()
            if not self._is("in"):
                raise self._unexpected("IN")
            return self._membership(left, True)
        return left

    def _membership(self, left: Expression, negated: bool) -> Expression:
        self._next()
        closing = "]" if self._accept("[") else ")"
        if closing == ")":
            self._expect("(")
        choices = [self._operand()]
        while self._accept(","):
            choices.append(self._operand())
        self._expect(closing)

        def within(document: Document) -> Any:
            value = left(document)
            if value is UNDEFINED:
                return UNDEFINED
            found = any(compare(value, choice(document), True) is True for choice in choices)
            return found != negated

        return within

    def _operand(self) -> Expression:
        if self._accept("("):
            with self._deeper():
                inner = self._or()
            self._expect(")")
            return inner
        if self._kind == "number":
            text = self._value
            self._next()
            return _constant(float(text) if len(text) > 300 or any(c in text for c in ".eE") else int(text))
        if self._kind == "string":
            value = _unquote(self._value)
            self._next()
            return _constant(value)
        for word, literal in (("true", True), ("false", False), ("null", None)):
            if self._accept(word):
                return _constant(literal)
        if self._kind == "name" and self._text[self._at :].lstrip().startswith("("):
            return self._function()
        return self._path()[1]

    def _function(self) -> Expression:
        name, start = self._value.lower(), self._start
        if name not in FUNCTIONS:
            raise self._error(start, f"the function {self._value!r} is not supported")
        self._next()
        self._expect("(")
        with self._deeper():
            arguments = [self._operand()]
            while self._accept(","):
                arguments.append(self._operand())
        self._expect(")")
        count, function = FUNCTIONS[name]
        if len(arguments) != count:
            raise self._error(start, f"{name} takes {count} arguments, not {len(arguments)}")
        return lambda document: function(*(argument(document) for argument in arguments))

    # --- members -------------------------------------------------------------------------------------

    def _member(self, wanted: str) -> str:
        if self._kind not in ("name", "quoted") or (self._kind == "name" and self._value.lower() in _RESERVED):
            raise self._unexpected(wanted)
        name = self._value[2:-2] if self._kind == "quoted" else self._value
        self._next()
        return name

    def _path(self) -> tuple[str, Expression]:
        steps: list[str | int] = [self._member("a property")]
        while self._is(".", "["):
            if self._accept("."):
                steps.append(self._any_member())
                continue
            self._next()
            if self._kind == "string":
                steps.append(_unquote(self._value))
                self._next()
            else:
                steps.append(self._number())
            self._expect("]")
        prefix = self._prefix.split(".") if self._prefix else []
        if prefix and len(steps) > len(prefix) and [str(step).lower() for step in steps[: len(prefix)]] == prefix:
            steps = steps[len(prefix) :]
        return str(steps[-1]), _getter(tuple(steps))

    def _any_member(self) -> str:
        if self._kind == "name":  # after a dot no word is reserved
            name = self._value
            self._next()
            return name
        return self._member("a property")


def _any_side(sides: Sequence[Expression], deciding: bool) -> Expression:
    """OR for True, AND for False: that value on any side decides, whatever the others are."""
    if len(sides) == 1:
        return sides[0]

    def evaluate(document: Document) -> Any:
        values = [side(document) for side in sides]
        if any(value is deciding for value in values):
            return deciding
        return (not deciding) if all(value is (not deciding) for value in values) else UNDEFINED

    return evaluate


def _constant(value: Any) -> Expression:
    return lambda document: value


def _getter(steps: tuple[str | int, ...]) -> Expression:
    def get(document: Document) -> Any:
        value: Any = document
        for step in steps:
            if isinstance(step, str):
                value = value.get(step, UNDEFINED) if isinstance(value, Mapping) else UNDEFINED
            else:
                value = value[step] if isinstance(value, list) and step < len(value) else UNDEFINED
        return value

    return get


def _unquote(text: str) -> str:
    inner = text[1:-1]
    if text[0] == "'":
        inner = inner.replace("''", "'")
    return re.sub(r"\\(.)", r"\1", inner)
