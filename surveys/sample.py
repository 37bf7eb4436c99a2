"""Made-up answers for demonstrations and tests: the same seed gives the same answers."""

import hashlib
import random
from collections.abc import Mapping
from datetime import date, timedelta
from itertools import pairwise
from typing import Any, Literal, TypeAlias

from surveys.constraints import broken
from surveys.figures import part_sum
from surveys.kinds import Choice, Column, DateKind, NumberKind, Range, TextKind
from surveys.normalise import normalise
from surveys.questionnaire import Questionnaire
from surveys.questions import (
    CalculateQuestion,
    DateQuestion,
    MultipleQuestion,
    NumberQuestion,
    PercentagesQuestion,
    Question,
    SingleQuestion,
    TableQuestion,
)
from surveys.risk import ChoiceRisk, NumberRisk, YesNoRisk
from surveys.routing import calculated, required, visible
from surveys.values import Value

Quality: TypeAlias = Literal["good", "poor"]

CONTACT = "amara.osei@member.example"
"""The address that good answers come from: give it, or its domain, as a known contact."""

COPIED = (
    "Our company is fully committed to sustainability and complies with all applicable laws and regulations "
    "in every country in which it operates."
)
"""The text that poor answers give to every long question: its fingerprint stands for another member's."""

_TRIES = 12
"""How often another answer is made up where one does not keep to the questionnaire's constraints."""

_FAR = date(2099, 12, 31)
_OPENINGS = (
    "The board",
    "Our sourcing team",
    "The managing director",
    "Each site",
    "A named officer",
    "The team",
)
_DOINGS = (
    "reviews the results",
    "checks the records",
    "trains new staff",
    "visits suppliers",
    "follows up findings",
)
_NAMES = ("Amber", "Cedar", "Harbour", "Juniper", "Meridian", "Willow")
_TRADES = ("Cooperative", "Mills", "Trading", "Supplies", "Growers")
_RHYTHMS = (
    "every quarter",
    "twice a year",
    "each spring",
    "monthly",
    "after every audit",
    "before each season",
)


def sample_answers(questionnaire: Questionnaire, *, seed: int = 0, quality: Quality = "good") -> dict[str, Any]:
    """Return a raw response that `validate` accepts for submission.

    Good answers raise no flag where ranges leave room for sums, and prefer low risk. Poor ones are accepted
    too, but evidence is missing, texts are copied or placeholders, sums are off and figures are implausible.
    """
    maker = _Maker(random.Random(f"{questionnaire.name}:{seed}:{quality}"), quality == "good")  # noqa: S311  made up
    raw: dict[str, Any] = {}
    values: dict[str, Value] = {}
    evidence: dict[str, list[str]] = {}
    totals = {total.question: total.parts for total in questionnaire.totals}
    for question in questionnaire.questions:
        if isinstance(question, CalculateQuestion):
            if visible(question, values) and (worked_out := calculated(question, values)) is not None:
                values[question.id] = worked_out
            continue
        must = required(question, values)
        if not visible(question, values) or not (must or maker.volunteers()):
            continue
        entry = maker.total(totals[question.id], values) if question.id in totals else maker.answer(question)
        value, wrong = normalise(question, entry, complete=True)
        for _ in range(_TRIES):
            if value is not None and not wrong and not broken(question, value, values, None):
                break
            entry = maker.answer(question)
            value, wrong = normalise(question, entry, complete=True)
        else:
            if not must:
                continue
        if value is not None:
            raw[question.id], values[question.id] = entry, value
            if maker.good and question.evidence != "none":
                evidence[question.id] = [maker.digest()]
    return {
        "respondent": maker.respondent(),
        "declaration": True,
        "answers": raw,
        "evidence": evidence,
        "comments": {},
    }


class _Maker:
    """Makes one answer after another from one source of chance."""

    def __init__(self, chance: random.Random, good: bool) -> None:
        self.chance = chance
        self.good = good

    def volunteers(self) -> bool:
        """Return whether an optional question is answered."""
        return self.chance.random() < (0.8 if self.good else 0.3)

    def respondent(self) -> dict[str, str]:
        name = {"name": "Amara Osei", "role": "Head of sustainability", "email": CONTACT}
        return name if self.good else {"name": "A. Osei", "role": "", "email": "a.osei.1987@gmail.com"}

    def digest(self) -> str:
        return hashlib.sha256(self.chance.randbytes(16)).hexdigest()

    def answer(self, question: Question) -> Any:
        """Return a raw answer to `question`."""
        if isinstance(question, TableQuestion):
            return self._table(question)
        if isinstance(question, PercentagesQuestion):
            return self._percentages(question)
        if isinstance(question, MultipleQuestion):
            return self._several(question)
        if isinstance(question, SingleQuestion):
            return self._preferred(question.choices, question.risk)
        if isinstance(question, DateQuestion) and question.expiry_of:
            return self._expiry(question)
        if question.type == "yes_no":
            risk = question.risk if isinstance(question.risk, YesNoRisk) else None
            safe = self.good == self._mostly()
            return self.chance.random() < 0.5 if risk is None else (risk.yes <= risk.no) == safe
        if question.type == "long_text":
            return (self._prose() if self.good else COPIED)[: question.max_length]
        if isinstance(question, NumberQuestion) and self.good:
            return self._number(_safest(question))
        return self.digest() if question.type == "file" else self._cell(question)

    def total(self, parts: tuple[str, ...], values: Mapping[str, Value]) -> Any:
        """Return what `parts` add up to; poor answers miss it by a fifth."""
        added = float(part_sum(parts, values))
        return round(added if self.good else added * 1.2 + 1, 4)

    def _mostly(self) -> bool:
        """Return True six times of seven: nobody is perfect, nor quite hopeless."""
        return self.chance.random() < 6 / 7

    def _cell(self, kind: Any) -> Any:
        if isinstance(kind, NumberKind):
            return self._number(kind)
        if isinstance(kind, DateKind):
            low = kind.min or (kind.max or date(2024, 12, 31)) - timedelta(days=700)
            high = kind.max or low + timedelta(days=700)
            return (low + timedelta(days=self.chance.randint(0, (high - low).days))).isoformat()
        if isinstance(kind, TextKind):
            return self._line(kind)
        return self.chance.random() < 0.5

    def _line(self, kind: TextKind) -> str:
        if kind.example or kind.pattern:
            return kind.example or ""
        name = f"{self.chance.choice(_NAMES)} {self.chance.choice(_TRADES)} {self.chance.randint(10, 99)}"
        text = name if self.good else "n/a"
        return text[: kind.max_length]

    def _number(self, kind: NumberKind) -> int | float:
        usual = kind.plausible
        low = kind.min if kind.min is not None else 0.0
        high = kind.max if kind.max is not None else low + 1000
        if usual is not None and self.good:
            low = usual.min if usual.min is not None else low
            high = usual.max if usual.max is not None else max(low, high)
        if usual is not None and not self.good:
            return self._implausible(kind, low, high)
        picked = self.chance.uniform(low + (high - low) * 0.05, low + (high - low) * 0.3)
        return min(max(round(picked), int(low)), int(high)) if kind.integer else round(picked, 1)

    def _implausible(self, kind: NumberKind, low: float, high: float) -> int | float:
        usual_high = kind.plausible.max if kind.plausible is not None else None
        number = usual_high * 3 + 1 if usual_high is not None else low
        number = min(number, kind.max) if kind.max is not None else number
        return int(number) if kind.integer else round(number, 1)

    def _prose(self) -> str:
        sentences = [
            f"{self.chance.choice(_OPENINGS)} {self.chance.choice(_DOINGS)} {self.chance.choice(_RHYTHMS)}, "
            f"most recently under reference {self.chance.randint(10_000, 99_999)}."
            for _ in range(3)
        ]
        return " ".join(sentences)

    def _preferred(self, choices: tuple[Choice, ...], risk: object) -> str:
        """Return mostly the choice of lowest risk (poor answers: highest); any, where none is rated."""
        if not isinstance(risk, ChoiceRisk):
            return self.chance.choice(choices).value
        rated = sorted(choices, key=lambda choice: risk.choices[choice.value])
        if not self.good:
            rated.reverse()
        return rated[0 if self._mostly() else 1 % len(rated)].value

    def _several(self, question: MultipleQuestion) -> list[str]:
        free = tuple(choice for choice in question.choices if not choice.exclusive) or question.choices[:1]
        if isinstance(question.risk, ChoiceRisk) and not self.good:
            return [self._preferred(free, question.risk), *self._filler(free, question)][: question.max]
        first = self._preferred(free, question.risk)
        return list(dict.fromkeys([first, *self._filler(free, question)]))[: question.max]

    def _filler(self, free: tuple[Choice, ...], question: MultipleQuestion) -> list[str]:
        return [choice.value for choice in free][: question.min or 1]

    def _percentages(self, question: PercentagesQuestion) -> dict[str, float]:
        """Return parts which total 100, or 99.5 for poor answers: near enough to be taken, and queried."""
        parts = [part.id for part in question.parts]
        risk = question.risk
        if isinstance(risk, NumberRisk) and risk.part in parts:
            parts.remove(risk.part)
            little = risk.rate({risk.part: 0}) <= risk.rate({risk.part: 60})
            parts = [*parts, risk.part] if little == self.good else [risk.part, *parts]
        shares = dict.fromkeys(parts, 0.0)
        shares[parts[0]] = 60.0 if self.good else 59.5
        second = round(self.chance.uniform(5, 40), 1) if len(parts) > 3 else 40.0
        shares[parts[1]] = second
        shares[parts[2 if len(parts) > 2 else 1]] += round(40 - second, 1)
        return shares

    def _table(self, question: TableQuestion) -> Any:
        if question.rows:
            return {row.id: self._row(question.columns) for row in question.rows}
        return [self._row(question.columns) for _ in range(min(question.max_rows or 1, 3))]

    def _row(self, columns: tuple[Column, ...]) -> dict[str, Any]:
        return {
            column.id: self.chance.choice(column.choices).value if column.type == "single" else self._cell(column)
            for column in columns
        }

    def _expiry(self, question: DateQuestion) -> str:
        """Return a date far ahead, or long past for poor answers."""
        if self.good:
            return (question.max or _FAR).isoformat()
        return (question.min or date(2015, 1, 31)).isoformat()


def _safest(question: NumberQuestion) -> NumberQuestion:
    """Return `question` with its plausible range narrowed to where the risk is lowest, if it can be."""
    if not isinstance(question.risk, NumberRisk):
        return question
    usual = question.plausible or Range()
    low = max(limit for limit in (question.min, usual.min, 0.0) if limit is not None)
    highs = [limit for limit in (question.max, usual.max) if limit is not None]
    high = min(highs) if highs else low + 1000
    limits = [low, *(step.below for step in question.risk.thresholds if low < step.below < high), high]
    spans = list(pairwise(limits))
    lower, upper = min(spans, key=lambda span: question.risk.rate(span[0]) if question.risk else 0.0)
    return question.model_copy(update={"plausible": Range(min=lower, max=upper)})
