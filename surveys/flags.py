"""A flag: one thing about a response that a coordinator should look at, and how serious it is."""

from dataclasses import dataclass
from enum import StrEnum


class Rule(StrEnum):
    """The kinds of data-quality rule."""

    COMPLETENESS = "completeness"
    TYPE_RANGE = "type_range"
    SUM_TO_100 = "sum_to_100"
    CROSS_FIELD = "cross_field"
    PLAUSIBILITY = "unit_plausibility"
    YEAR_ON_YEAR = "year_on_year"
    DUPLICATE_TEXT = "duplicate_text"
    EVIDENCE = "evidence"
    CONTRADICTION = "contradiction"
    AUTHORITY = "respondent_authority"


class Severity(StrEnum):
    """How serious a flag is: high stops a response from being complete as it is, low is worth a look."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True)
class Flag:
    """What `rule` found about `question` (an id, or respondent.email ...), in a sentence for the query."""

    rule: Rule
    question: str
    text: str
    severity: Severity
