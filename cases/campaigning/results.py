"""What members answered, question by question: what may be shared, or everything for those who may read it anyway.

What may be shared holds no name and no figure on fewer answers than the policy's ``smallest_cell``, nor what such could
be worked out from; it counts everybody of the campaign this person is told of. The internal view leaves nothing out and
counts only the answers that the person may open, one by one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from cases.campaigning.answered import DIMENSIONS, NARROWED_BY, Asked, everybody, questionnaire_of, source_of
from cases.campaigning.counts import Counts, counts
from cases.campaigning.sight import Sight, looking
from cases.environment import Environment
from cases.errors import BadInput, NotAllowed
from state_machines.registry import process_named
from state_machines.standing import LEFT_OUT, Standing
from state_machines.values import Actor
from surveys.aggregate import NOT_STATED, QuestionFigures, Response, aggregate
from surveys.items import items
from surveys.questionnaire import Questionnaire
from surveys.telling import Group, ItemFigures, Rule

APPROVED = frozenset({"reported", "closed_100", "closed_exception"})
"""States of a campaign whose report somebody has approved."""


@dataclass(frozen=True)
class Narrowed:
    """Of whom results are told; empty: of everybody."""

    tier: str = ""
    country: str = ""
    region: str = ""
    team: str = ""

    @property
    def chosen(self) -> Mapping[str, str]:
        """Return the dimensions that are narrowed, and to what."""
        return {name: getattr(self, name) for name in NARROWED_BY if getattr(self, name)}

    def holds(self, groups: Mapping[str, str]) -> bool:
        """Return whether somebody of these groups is among them."""
        return all((groups.get(name) or NOT_STATED) == group for name, group in self.chosen.items())


EVERYBODY = Narrowed()


@dataclass(frozen=True)
class Results:
    """The results of a campaign as they are now."""

    ref: str
    title: str
    state: str
    as_at: datetime
    counts: Counts
    smallest: int
    dominance: float
    shared: bool
    narrowed: Narrowed
    questionnaire: str
    parts: list[tuple[str, list[QuestionFigures]]]
    groups: Mapping[str, Sequence[str]]
    """Of each dimension the groups there are."""
    people: Mapping[Standing | None, int]
    """Everybody the figures are about, by how they stand."""
    due: Mapping[tuple[str, str], int]
    """How many had to answer, by dimension and group; of everybody under two empty names."""
    used: int
    """How many answers were counted."""
    panel: int
    """How many of these answered last year too."""
    source: str
    approved: bool
    may_share: bool
    """Whether this person may take what is shared: it is of all teams."""

    @property
    def eligible(self) -> int:
        """Everybody the figures are about, answered or not, exempt or not."""
        return sum(self.people.values())

    @property
    def exempt(self) -> int:
        """How many of them need not answer."""
        return self.people.get(Standing.EXEMPT, 0)

    @property
    def group(self) -> tuple[str, str]:
        """Return the dimension and the group that figures to be shared are about; of everybody two empty names."""
        return next(iter(self.narrowed.chosen.items()), ("", "")) if self.shared else ("", "")

    def coverage(self, n: int, group: tuple[str, str] = ("", "")) -> float | None:
        """Return the share of those who had to answer on whom a figure stands, in per cent; None of nobody."""
        due = self.due.get(group, 0)
        return 100 * n / due if due else None

    def tells(self, number: int) -> bool:
        """Return whether a count of members is told: what may be shared tells none that is small."""
        return not self.shared or number == 0 or number >= self.smallest

    def non_response(self, one: QuestionFigures) -> float | None:
        """Return the share of those asked who gave no answer, in per cent; None where it gives a small count away."""
        return one.non_response if self.tells(one.unanswered) and self.tells(one.answered) else None

    def told(self, item: ItemFigures) -> Group:
        """Return the figures of an item that are looked at: of everybody, or of the one group that was chosen."""
        dimension, group = self.group
        if not dimension:
            return item.all
        return next((each for each in item.by[dimension] if each.name == group), Group(group, 0))


def results(
    env: Environment, ref: str, *, shared: bool = True, narrowed: Narrowed = EVERYBODY, handed_out: bool = False,
    actor: Actor, now: datetime | None = None,
) -> Results:  # fmt: skip
    """Return the results of a campaign. ``handed_out``: as something to pass on, which asks for sight of all teams.

    Raises CaseNotFound, BadInput, or NotAllowed for what is to be passed on.
    """
    with looking(env, ref, actor=actor, now=now) as sight:
        if shared and handed_out and not sight.whole:
            raise NotAllowed("What is passed on is of all teams; whoever sees all of them can take it.")
        if shared and (len(narrowed.chosen) > 1 or narrowed.team):
            raise BadInput("In what may be shared, choose one of tier, country and region.")
        return _results(sight, everybody(sight, named=not shared), questionnaire_of(sight), shared, narrowed)


def _results(
    sight: Sight, people: list[Asked], questionnaire: Questionnaire, shared: bool, narrowed: Narrowed
) -> Results:
    setting = sight.here.env.policy.setting
    smallest, share = int(setting("survey_campaign", "smallest_cell")), setting("survey_campaign", "dominance_percent")
    inside = people if shared else [each for each in people if narrowed.holds(each.groups)]
    responses = [each.response for each in inside if each.response is not None]
    rule = Rule(smallest if shared else 0, int(share) / 100)
    state = process_named(sight.row.process).state(sight.row.state)
    return Results(
        ref=sight.row.ref, title=sight.row.subject, state=state.title, as_at=sight.here.now, counts=counts(sight),
        smallest=smallest, dominance=rule.dominance, shared=shared, narrowed=narrowed,
        questionnaire=f"{questionnaire.title}, version {questionnaire.version}",
        parts=_parts(questionnaire, responses, rule), groups=_groups(people, shared=shared),
        people=Counter(each.standing for each in inside), due=_due(inside),
        used=len(responses), panel=sum(each.before is not None for each in responses),
        source=source_of(inside), approved=sight.row.state in APPROVED, may_share=sight.whole,
    )  # fmt: skip


def _parts(
    questionnaire: Questionnaire, responses: Sequence[Response], rule: Rule
) -> list[tuple[str, list[QuestionFigures]]]:
    found = items(questionnaire)
    wanted = [(question, found[question.id]) for question in questionnaire.questions if question.id in found]
    told = {each.question.id: each for each in aggregate(responses, wanted, DIMENSIONS, rule)}
    return [
        (section.title, [told[question.id] for question in section.asked if question.text and question.id in told])
        for section in questionnaire.sections
    ]


def _due(people: Sequence[Asked]) -> dict[tuple[str, str], int]:
    """Count who had to answer: everybody who is not exempt and was not left out."""
    found: Counter[tuple[str, str]] = Counter()
    for each in people:
        if each.standing not in LEFT_OUT | {Standing.EXEMPT}:
            found[("", "")] += 1
            found.update((name, each.groups[name] or NOT_STATED) for name in DIMENSIONS)
    return dict(found)


def _groups(people: Sequence[Asked], *, shared: bool) -> dict[str, list[str]]:
    names = DIMENSIONS if shared else NARROWED_BY
    return {name: sorted({each.groups[name] or NOT_STATED for each in people}) for name in names}
