"""What the functions of a formula do."""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import ROUND_HALF_UP, Context, Decimal

from surveys import patterns
from surveys.results import EPOCH, NOTHING, Result, Several, bounded, number, same, truth, words

CONTEXT = Context(prec=34)
Function = Callable[[list[Result]], Result]


def _items(found: Result) -> tuple[Result, ...]:
    """Return the choices made, or the cells; of a text, its words."""
    if isinstance(found, Several):
        return found.items
    return tuple(found.split()) if isinstance(found, str) else (found,)


def _selected(args: list[Result]) -> Result:
    wanted = words(args[1])
    return any(words(each) == wanted or (isinstance(each, bool) and same(each, wanted)) for each in _items(args[0]))


def _numbers(args: list[Result]) -> list[Decimal]:
    """Return all numbers given, those of columns too; what is empty is left out."""
    flat = [each for found in args for each in (found.items if isinstance(found, Several) else (found,))]
    return [number(each) for each in flat if words(each) != ""]


def _rounded(args: list[Result]) -> Result:
    exact, places = number(args[0]), number(args[1]) if len(args) > 1 else Decimal(0)
    if exact.is_nan() or places.is_nan() or not 0 <= places <= 10:
        return NOTHING
    return exact.quantize(Decimal(1).scaleb(-int(places)), ROUND_HALF_UP, CONTEXT)


def _whole(args: list[Result]) -> Result:
    exact = number(args[0])
    return NOTHING if exact.is_nan() else Decimal(int(exact))


def _best(choose: Callable[[list[Decimal]], Decimal]) -> Callable[[list[Result]], Result]:
    def found(args: list[Result]) -> Result:
        numbers = _numbers(args)
        return choose(numbers) if numbers and not any(each.is_nan() for each in numbers) else NOTHING

    return found


def _date(args: list[Result]) -> Result:
    days = number(args[0])
    try:
        return "" if days.is_nan() else date.fromordinal(int(days) + EPOCH).isoformat()
    except (ValueError, OverflowError):
        return ""


FUNCTIONS: Mapping[str, Function] = {
    "abs": lambda args: abs(number(args[0])),
    "boolean": lambda args: truth(args[0]),
    "coalesce": lambda args: next((each for each in args if words(each) != ""), ""),
    "concat": lambda args: "".join(words(each) for each in args)[:5000],
    "contains": lambda args: words(args[1]) in words(args[0]),
    "count": lambda args: Decimal(len(_items(args[0]))),
    "count-selected": lambda args: Decimal(len(_items(args[0]))),
    "date": _date,
    "ends-with": lambda args: words(args[0]).endswith(words(args[1])),
    "false": lambda args: False,
    "int": _whole,
    "max": _best(max),
    "min": _best(min),
    "not": lambda args: not truth(args[0]),
    "number": lambda args: number(args[0]),
    "regex": lambda args: patterns.fits(words(args[1]), words(args[0])),
    "round": _rounded,
    "selected": _selected,
    "starts-with": lambda args: words(args[0]).startswith(words(args[1])),
    "string": lambda args: words(args[0]),
    "string-length": lambda args: Decimal(len(words(args[0]))),
    "sum": lambda args: bounded(sum(_numbers(args), Decimal(0))),
    "true": lambda args: True,
}
