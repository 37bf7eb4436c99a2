"""Regular expressions from definitions: only such as answer quickly, whatever text they meet."""

import re
from functools import lru_cache

LONGEST = 300
_MOST_OPEN = 5
_MOST_OPTIONAL = 8
_OPEN = re.compile(r"[*+]|\{\d*,\d*\}")
_LONGEST_TEXT = {0: 5000, 1: 5000, 2: 1000, 3: 200, 4: 80, 5: 50}
"""Characters of a text that a pattern is tried on, by how many of its parts are of any length: the more there are, the
more ways there are to divide the text among them. A longer text doesn't match."""


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
    optional = re.sub(r"(?<=[*+}])\?|\(\?:", "", bare).count("?")
    if len(_OPEN.findall(bare)) > _MOST_OPEN or optional > _MOST_OPTIONAL:
        return "has too many parts of any length, which can take for ever"
    return None


def _bare(pattern: str) -> str:
    """Return a pattern with a letter for each character and each class of characters."""
    return re.sub(r"\[(?:\\.|[^\]\\])+\]", "x", re.sub(r"\\.", "x", pattern))


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
    return _LONGEST_TEXT.get(len(_OPEN.findall(_bare(pattern))), 50)


def fits(pattern: str, text: str) -> bool:
    """Return whether the whole of `text` is as `pattern` says."""
    return len(text) <= _limit(pattern) and re.fullmatch(pattern, text) is not None
