"""Regular expressions from definitions: only such as answer quickly, whatever text they meet."""

import re
from functools import lru_cache
from math import comb, prod

LONGEST = 300
_MOST_OPEN = 5
_MOST_OPTIONAL = 8
_OPEN = re.compile(r"[*+]|\{\d*,\d*\}")
_LENGTHS = (5000, 1000, 200, 80, 50, 30, 20)
"""Characters of a text that a pattern may be tried on; a longer text doesn't match."""
_MOST_WAYS = 4_000_000
"""So many ways a pattern may have to match one text. The more of its parts are of any length, may be left out or are
one of several, the more ways there are to divide a text among them, and the shorter the text must be."""


def pattern_problem(pattern: str) -> str | None:
    """Return why a pattern is not taken, to go on after "the pattern …", or None."""
    if len(pattern) > LONGEST:
        return f"is longer than {LONGEST} characters"
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as broken:
        return f"is not a regular expression ({broken})"
    bare = _bare(pattern)
    if re.search(r"\(\?[^:]", bare) or re.search(r"\\[1-9]", pattern):
        return "uses back references or assertions, which are not supported"
    if _repeats_within(bare):
        return "repeats something that repeats itself, which can take for ever"
    if _opens(bare) > _MOST_OPEN or _optional(bare) > _MOST_OPTIONAL or _limit(pattern) == 0:
        return "has too many parts of any length, which can take for ever"
    return None


def _bare(pattern: str) -> str:
    """Return a pattern with a letter for each character and each class of characters."""
    return re.sub(r"\[\^?\]?(?:\\.|[^\]\\])*\]", "x", re.sub(r"\\.", "x", pattern))


def _opens(bare: str) -> int:
    return len(_OPEN.findall(bare))


def _optional(bare: str) -> int:
    return re.sub(r"(?<=[*+}])\?|\(\?:", "", bare).count("?")


def _choices(bare: str) -> int:
    """Return in how many ways the alternatives of a pattern can be chosen, taken together."""
    found, open_groups = [], [1]
    for sign in bare:
        if sign == "(":
            open_groups.append(1)
        elif sign == ")" and len(open_groups) > 1:
            found.append(open_groups.pop())
        elif sign == "|":
            open_groups[-1] += 1
    return prod([*found, *open_groups])


def _repeats_within(bare: str) -> bool:
    """Whether a group with a repetition or a choice in it is repeated itself."""
    group = re.compile(r"\(([^()]*)\)([*+]|\{\d*,?\d*\})?")
    while (found := group.search(bare)) is not None:
        inside = found[1].removeprefix("?:")
        if found[2] and re.search(r"[*+|?]|\{\d*,\d*\}", inside):
            return True
        kept = inside.replace("|", "") if re.search(r"[*+?]|\{\d*,\d*\}", inside) else "x"
        bare = bare[: found.start()] + kept + (found[2] or "") + bare[found.end() :]
    return False


@lru_cache(maxsize=1024)
def _limit(pattern: str) -> int:
    """Return the length of text that a pattern may be tried on; 0 for a pattern with too many ways to match any."""
    bare = _bare(pattern)
    opens, ways = _opens(bare), _choices(bare) * 2 ** _optional(bare)
    return next((length for length in _LENGTHS if ways * comb(length + opens, opens) <= _MOST_WAYS), 0)


def fits(pattern: str, text: str) -> bool:
    """Return whether the whole of `text` is as `pattern` says."""
    return len(text) <= _limit(pattern) and re.fullmatch(pattern, text) is not None
