"""The difference between last year's answer and this one, as a person would say it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from state_machines.english import capital
from surveys.questions import MultipleQuestion, NumberQuestion, PercentagesQuestion, Question, TableQuestion
from surveys.values import read_number, show
from surveys.wording import in_words


def difference(question: Question, before: Any, now: Any) -> str:
    """Return what changed from one answer to the next, in words; nothing when they are the same."""
    was, is_ = in_words(question, before), in_words(question, now)
    if was == is_:
        return ""
    if not was:
        return "New: not answered before"
    if not is_:
        return "Answered before, not now"
    if isinstance(question, NumberQuestion):
        return _moved(question, before, now) or "Changed"
    if isinstance(question, MultipleQuestion | PercentagesQuestion | TableQuestion):
        return _added_and_gone(was, is_)
    return f"Changed from “{was[0]}”" if len(was[0]) <= 80 else "The text was changed"


def _moved(question: NumberQuestion, before: Any, now: Any) -> str:
    old, new = read_number(before), read_number(now)
    if old is None or new is None:
        return ""
    step = f"{show(abs(new - old))} {question.unit}".rstrip()
    share = f" ({100 * abs(new - old) / abs(old):.0f} %)" if old else ""
    return f"{'Up' if new > old else 'Down'} by {step}{share}"


def _added_and_gone(was: Sequence[str], is_: Sequence[str]) -> str:
    added, gone = [each for each in is_ if each not in was], [each for each in was if each not in is_]
    parts = [f"{word} {'; '.join(each)}" for word, each in (("now", added), ("before", gone)) if each]
    return capital(", ".join(parts)) or "In another order"
