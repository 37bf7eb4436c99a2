"""How the forms of a personal page speak to its holder: the fields of the processes are described for colleagues."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from state_machines.process import Transition
from web.forms import Field


@dataclass(frozen=True)
class Words:
    """What somebody reads who does something: its title, a sentence before the form, and its fields."""

    title: str
    intro: str = ""
    fields: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """By field: its label, and the hint below it."""
    choices: Mapping[str, str] = field(default_factory=dict)
    """By value: how a choice is called, where its name does not say enough."""
    given: Mapping[str, str] = field(default_factory=dict)
    """Fields that are plain from where the form stands, and are not asked for."""


_DONE = {"evidence": ("What you did, and what shows it", "One line for each action, in the order of your plan.")}
DEEDS: Mapping[str, Words] = {
    "reply": Words("Reply", fields={"statement": ("Your reply", "Answer each question of our letter.")}),
    "record_reply": Words("Give your side", fields={"reply": ("What you want to say to it", "")}),
    "make_representations": Words("Tell us your side", fields={"statement": ("What should be weighed", "")}),
    "appeal": Words(
        "Appeal", "People who had no part in the decision look at it.",
        {"statement": ("Why you appeal", ""), "grounds": ("What your appeal rests on", "")},
        {"procedure": "Something went wrong in how it was decided", "new_evidence": "There is new evidence",
         "proportionality": "It is too hard for what happened"},
    ),
    "file_plan": Words(
        "Send the corrective plan", "",
        {"actions": ("Actions", ""), "actions.text": ("What you will do", ""),
         "actions.owner": ("Who answers for it", ""), "actions.due": ("By when", ""),
         "actions.evidence": ("What will show that it is done", ""),
         "actions.root_cause": ("What was the cause, if you know it", "")},
    ),
    "report_complete": Words("Report completion", fields=_DONE),
    "report_remedy": Words(
        "Report the remedy", "",
        {"evidence": ("What you did, and what shows it", "One line for each point of our letter.")},
    ),
    "declare_hardship": Words(
        "Money is short", "You need not prove or explain anything.",
        {"category": ("What comes nearest?", "It is kept only so that we can help.")},
        {"income_loss": "Less income", "cost_of_living": "Everything costs more", "debt": "Debts", "illness": "Illness",
         "caring": "Caring for somebody", "self_declared": "I would rather not say"},
    ),
    "request_exemption": Words(
        "Ask for an exemption", "A manager decides. Reminders stand still until then; the last day does not move.",
        {"exemption": ("Why need your organisation not answer?", ""),
         "answered_by": ("If it has merged: which member answers for both?", "Its membership number or name."),
         "details": ("What should we know about it?", "")},
        {"under_12_months": "We have been a member for less than twelve months", "suspended": "We are suspended",
         "merged": "We have merged with another member", "insolvent": "We are insolvent",
         "force_majeure": "Something beyond our control prevents it"},
    ),
    "refuse": Words(
        "Refuse to answer", "It is recorded that your organisation will not answer, and passed to monitoring.",
        {"statement": ("Your statement", "")}, given={"in_writing": "true"},
    ),
}  # fmt: skip


def title_of(transition: Transition) -> str:
    """Return what a step is called on a personal page."""
    words = DEEDS.get(transition.trigger)
    return words.title if words else transition.title


def worded(trigger: str, fields: Sequence[Field]) -> list[Field]:
    """Return the fields of a step as its holder reads them, without those that need not be asked."""
    words = DEEDS.get(trigger)
    if words is None:
        return list(fields)
    return [_worded(words, each) for each in fields if each.name not in words.given]


def _worded(words: Words, shown: Field) -> Field:
    name = ".".join(part for part in shown.name.split(".") if not part.isdigit())
    label, hint = words.fields.get(name, (shown.label, shown.help))
    options = tuple(replace(each, title=words.choices.get(each.value, each.title)) for each in shown.options)
    rows = tuple(tuple(_worded(words, inner) for inner in row) for row in shown.rows)
    return replace(shown, label=label, help=hint, options=options, rows=rows)
