"""One version of a document that members sign, such as the Code of Practice: from its draft until a newer one holds.

Its text is fixed when it is approved: by its SHA-256 in each language, one of which decides. Who wrote it may not
approve it. On its day it takes effect by itself, the version before it is superseded, and every campaign that asks for
signatures under an earlier version hears of it: a material change is signed anew, any other is only told.

Sources: the UK eIDAS regulations and the Electronic Communications Act 2000 s. 7 (what was signed must be shown to be
what was read, which the SHA-256 of each language is for). The states are our own.
"""

from __future__ import annotations

from state_machines.draft import Draft
from state_machines.escalation import escalations
from state_machines.process import Clock, Process, Send, State, Transition
from state_machines.processes import code_document_forms as forms
from state_machines.values import Role

COORDINATOR = frozenset({Role.COORDINATOR})
MANAGERS = frozenset({Role.MANAGER, Role.SENIOR})
SENIOR = frozenset({Role.SENIOR})
SYSTEM = frozenset({Role.SYSTEM})
INSIDE = COORDINATOR | MANAGERS

ASKS_FOR = "asks_for"
"""How a campaign is linked to the document under which it collects signatures."""
SUPERSEDES = "supersedes"
"""How a version is linked to the one before it."""
_SAID = ("title", "number", "material", "summary", "effective_on")
AUTHORS = ("open", "change_text", "describe", "send_to_review")
"""Triggers whose people have written the version, and so may not approve it."""


# --- guards


def nobody_is_asked_to_sign_it(draft: Draft) -> bool:
    """Campaigns ask for signatures under this version; close or cancel them first."""
    asking = [each["ref"] for each in draft.fact("linked") or () if each["link"] == ASKS_FOR and not each["outcome"]]
    return not asking or draft.because(
        f"Signatures under this version are being asked for ({', '.join(asking)}): "
        "close or cancel that first, or bring out a new version."
    )


def day_has_not_passed(draft: Draft) -> bool:
    """The day from which it holds must not have passed."""
    return bool(draft.typed("effective_on").isoformat() >= draft.today)


# --- effects


def take_the_place_of_the_version_before(draft: Draft) -> None:
    """Supersede the version before this one."""
    draft.fire_linked("supersede", SUPERSEDES, superseded_by=draft.case.ref, superseded_by_number=draft.get("number"))


def tell_campaigns(draft: Draft) -> None:
    """Tell every campaign that asks for signatures under an earlier version, however much earlier."""
    draft.fire_linked(
        "new_version", f"{SUPERSEDES}>{ASKS_FOR}", document=draft.case.ref, document_title=draft.get("title"),
        document_number=draft.get("number"), document_languages=dict(draft.get("languages", {})),
        authoritative=draft.get("authoritative"), material=bool(draft.get("material", True)),
        summary=draft.get("summary", ""),
    )  # fmt: skip


STATES = [
    State("draft", clocks=(Clock("prepare", ladder="standard", label="ready for review"),)),
    State("legal_review", owner=Role.MANAGER, clocks=(Clock("review", ladder="decision", label="review of the text"),),
          help="Somebody who has not written it reads it, and has it read by a lawyer where that is needed."),
    State("approved", clocks=(Clock("effect", ladder="effect", until="effective_on", label="takes effect"),),
          help="The text does not change any more. It takes effect by itself at 09:00 on its day."),
    State("effective", clocks=(Clock("look_again", ladder="standard", label="a look whether it is still right"),),
          label="In force"),
    State("superseded", final=True),
    State("withdrawn", final=True),
]  # fmt: skip

TRANSITIONS = [
    Transition("change_text", "draft", None, by=INSIDE, needs=forms.Text, keeps=("languages", "authoritative")),
    Transition("describe", "draft", None, by=INSIDE, needs=forms.Description, keeps=_SAID,
               label="Change the description"),
    Transition("send_to_review", "draft", "legal_review", by=INSIDE, sends=(Send("document_review_wanted", "manager"),),
               label="Send to review"),
    Transition("return_to_draft", "legal_review", "draft", by=MANAGERS, needs=forms.Because,
               sends=(Send("document_returned", "owner"),), label="Send back"),
    Transition("approve", "legal_review", "approved", by=MANAGERS, needs=forms.Review, four_eyes=AUTHORS,
               sends=(Send("document_approved", "owner"),),
               help="The text is fixed from now on. Who has written it may not approve it."),
    Transition("move_effect", "approved", None, by=MANAGERS, needs=forms.NewDate, checks=(day_has_not_passed,),
               keeps=("effective_on",), restarts=("effect",), label="Change the day it takes effect"),
    Transition("take_effect", "approved", "effective", by=SYSTEM,
               does=(take_the_place_of_the_version_before, tell_campaigns),
               sends=(Send("document_in_force", "owner"),)),
    Transition("still_right", "effective", None, by=MANAGERS, needs=forms.Review, restarts=("look_again",),
               label="Still right as it is"),
    Transition("supersede", "effective", "superseded", by=SYSTEM, needs=forms.Successor,
               keeps=("superseded_by", "superseded_by_number"), outcome="superseded"),
    Transition("withdraw", ("draft", "legal_review", "approved"), "withdrawn", by=MANAGERS, needs=forms.Because,
               outcome="withdrawn", danger=True),
    Transition("withdraw", "effective", "withdrawn", by=SENIOR, needs=forms.Because,
               only_if=(nobody_is_asked_to_sign_it,), outcome="withdrawn", danger=True,
               help="Nothing takes its place. Signatures that were given stay on the record."),
]  # fmt: skip

PROCESS = Process(
    "code_document",
    version=1,
    prefix="CD",
    title="Document",
    initial="draft",
    states=STATES,
    transitions=[*TRANSITIONS, *escalations()],
    opening=forms.Version,
    opening_keeps=tuple(forms.Version.model_fields),
    opened_by=INSIDE,
    facts=("linked",),
    doc=__doc__,
)
