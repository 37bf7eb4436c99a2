"""The risk score of a response, with everything it was computed from.

Source: risk scoring of the self-assessment survey: `sum(w*r) / sum(w)` over the questions that count,
times 100; plus modifiers, at most 100; LOW < 25 <= MEDIUM < 50 <= HIGH < 75 <= CRITICAL. A question counts
when it has an answer, or when it is required and has none: then r is 1, because no answer is never "no risk".
A hidden one doesn't count.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Any

from surveys.answers import Validated
from surveys.questionnaire import Questionnaire
from surveys.routing import asked, counted, required

MODEL_VERSION = 1
"""Raise it whenever the same inputs would give another score."""

MOST = 100
COUNTRY_RISK_MOST = 10


class Band(StrEnum):
    """The four bands of risk, lowest first."""

    LOW = "LOW"
    MEDIUM = "MEDIUM"
    HIGH = "HIGH"
    CRITICAL = "CRITICAL"


class UnknownModel(ValueError):
    """The score was computed with a version of the model that this program doesn't have."""


@dataclass(frozen=True)
class Factor:
    """What one question adds: weight w, risk r (0..1), and whether it was answered."""

    question: str
    weight: float
    r: float
    answered: bool = True


@dataclass(frozen=True)
class Modifiers:
    """What is known of the member besides its answers. Raises ValueError unless country risk is 0 to 10."""

    open_monitoring_case: bool = False
    watch_hit: bool = False
    late: bool = False
    previous_year_unresolved: bool = False
    country_risk: float = 0

    def __post_init__(self) -> None:
        if not 0 <= self.country_risk <= COUNTRY_RISK_MOST:
            raise ValueError(f"Country risk goes from 0 to {COUNTRY_RISK_MOST}, not {self.country_risk}.")

    def points(self) -> dict[str, float]:
        """Return the points that each modifier adds, by name."""
        return {
            "open_monitoring_case": 20 if self.open_monitoring_case else 0,
            "watch_hit": 15 if self.watch_hit else 0,
            "late": 5 if self.late else 0,
            "previous_year_unresolved": 10 if self.previous_year_unresolved else 0,
            "country_risk": self.country_risk,
        }


@dataclass(frozen=True)
class Driver:
    """What pushes a score up, by how many of its points, and why in words."""

    source: str
    points: float
    text: str


@dataclass(frozen=True)
class Score:
    """A score by its inputs: everything else follows from them, so it can be computed again at any time."""

    questionnaire: str
    version: int
    fingerprint: str
    factors: tuple[Factor, ...]
    modifiers: Modifiers = Modifiers()
    model: int = MODEL_VERSION

    @property
    def value(self) -> float | None:
        """Return the score, 0 to 100, or None where no question that counts has a weight."""
        exact = self._exact()
        return None if exact is None else float(exact)

    @property
    def base(self) -> float | None:
        """Return the score of the answers alone, 0 to 100, before modifiers; or None."""
        exact = self._base()
        return None if exact is None else float(exact)

    @property
    def band(self) -> Band | None:
        """Return the band of the exact score, before any rounding; or None."""
        exact = self._exact()
        return None if exact is None else band(exact)

    def explain(self, most: int = 3) -> tuple[Driver, ...]:
        """Return the `most` drivers that add the most points, largest first; what adds nothing isn't one."""
        drivers = sorted(self._drivers(), key=lambda driver: -driver.points)
        return tuple(driver for driver in drivers if driver.points > 0)[:most]

    def as_record(self) -> dict[str, Any]:
        """Return inputs and results as JSON can hold them; `from_record` reads it back."""
        return {**asdict(self), "factors": [asdict(each) for each in self.factors]} | {
            "value": self.value,
            "band": self.band,
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "Score":
        """Return the score that `record` holds, to be computed again. Raises UnknownModel."""
        if record["model"] != MODEL_VERSION:
            raise UnknownModel(f"There is no model {record['model']}; this is model {MODEL_VERSION}.")
        inputs = {name: entry for name, entry in record.items() if name not in {"value", "band"}}
        inputs["factors"] = tuple(Factor(**factor) for factor in record["factors"])
        inputs["modifiers"] = Modifiers(**record["modifiers"])
        return cls(**inputs)

    def _weight(self) -> Fraction:
        return sum((_fraction(factor.weight) for factor in self.factors), Fraction(0))

    def _base(self) -> Fraction | None:
        weight = self._weight()
        if weight == 0:
            return None
        weighted = sum((_fraction(each.weight) * _fraction(each.r) for each in self.factors), Fraction(0))
        return 100 * weighted / weight

    def _exact(self) -> Fraction | None:
        base = self._base()
        if base is None:
            return None
        added = sum((_fraction(points) for points in self.modifiers.points().values()), Fraction(0))
        return min(base + added, Fraction(MOST))

    def _drivers(self) -> Iterator[Driver]:
        weight = self._weight()
        for each in self.factors if weight else ():
            points = float(100 * _fraction(each.weight) * _fraction(each.r) / weight)
            text = f"answer rated {each.r:g} of 1" if each.answered else "required and not answered"
            yield Driver(each.question, points, f"{text}, weight {each.weight:g}")
        for name, points in self.modifiers.points().items():
            yield Driver(name, points, name.replace("_", " "))


def score(questionnaire: Questionnaire, validated: Validated, modifiers: Modifiers = Modifiers()) -> Score:
    """Return the score of a response."""
    answers = counted(questionnaire, validated.answers)
    factors = []
    for question in asked(questionnaire, answers):
        value = answers.get(question.id)
        if question.risk is None:
            continue
        if value is not None:
            factors.append(Factor(question.id, question.risk.weight, question.risk.rate(value)))
        elif required(question, answers):
            factors.append(Factor(question.id, question.risk.weight, 1.0, answered=False))
    return Score(
        questionnaire=questionnaire.name,
        version=questionnaire.version,
        fingerprint=questionnaire.fingerprint(),
        factors=tuple(factors),
        modifiers=modifiers,
    )


def agrees(record: Mapping[str, Any]) -> bool:
    """Return whether a stored score, computed again from its stored inputs, is what was stored. Raises UnknownModel."""
    again = Score.from_record(record)
    return bool(again.value == record["value"] and again.band == record["band"])


def band(value: float | Fraction) -> Band:
    """Return the band of a score from 0 to 100; a limit belongs to the higher band."""
    if value < 25:
        return Band.LOW
    if value < 50:
        return Band.MEDIUM
    return Band.HIGH if value < 75 else Band.CRITICAL


def _fraction(number: float) -> Fraction:
    """Return `number` as it is written in decimals, so that three tenths are three tenths."""
    return Fraction(repr(number))
