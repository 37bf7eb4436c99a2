"""Reaching a member until somebody answers: its contacts in turn, promises, calls, letters, and proof of silence.

Shared by every process that asks a member for something. The contacts of a member are written to in the order of the
register: the first, a deputy, the executive. A rung of the ladder fires ``turn_to_next_contact`` where the one who was
written to stays silent; a bounce, a contact who has left, and "I am not the right person" turn at once. When every
contact was tried, somebody rings. The first answer that comes ends all of it.

Nobody but a manager, asked by a coordinator, decides that a member cannot be reached, and only with proof on record.
Such a member is accounted for and never part of 100 %; an answer that comes before the campaign is closed still counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from state_machines.process import Clock, Send, State, Transition
from state_machines.processes import chasing
from state_machines.processes import reaching_forms as forms
from state_machines.processes import reaching_proof as proof
from state_machines.processes import reaching_rules as rules
from state_machines.standing import Standing
from state_machines.values import Role

MEMBER = frozenset({Role.MEMBER})
COORDINATOR = frozenset({Role.COORDINATOR})
MANAGER = frozenset({Role.MANAGER})
EITHER = COORDINATOR | MANAGER
SYSTEM = frozenset({Role.SYSTEM})

PROMISE = Clock("promise", ladder="promise", until="promise_until", label="answer that was promised")
"""Runs in the states in which an answer is awaited, once a day was promised; each promise is another run of it."""
ASKED_UNREACHABLE = "unreachable_asked"
UNREACHABLE = "unreachable"
NOT_REACHED = "not_reached"


@dataclass(frozen=True)
class Reach:
    """In which states of a process its member is reached for."""

    unopened: tuple[str, ...]
    """Asked, and nothing was opened yet."""
    chased: tuple[str, ...]
    """An answer is awaited and the ladder runs; each of them has the clock PROMISE."""
    provable: tuple[str, ...]
    """No answer yet: from here it can be proposed that nobody is reached."""
    others: tuple[str, ...] = ()
    """Other open states in which somebody may ring or write to the member."""

    @property
    def not_answered(self) -> tuple[str, ...]:
        """The states without an answer, each once."""
        return tuple(dict.fromkeys((*self.chased, *self.provable)))


def states(held: Clock, late: Clock) -> list[State]:
    """Return the states about members whom nobody reaches. ``held`` is the process's own clock, standing still;
    ``late`` ends, by ``give_up``, the time in which a late answer is taken."""
    return [
        State(ASKED_UNREACHABLE, standing=Standing.UNDECIDED, owner=Role.MANAGER, label="Said to be unreachable",
              clocks=(held, Clock("unreachable", ladder="decision", label="decision about who cannot be reached")),
              help="A manager looks at the proof. The ladder stands still; the deadline does not."),
        State(UNREACHABLE, standing=Standing.UNREACHABLE, clocks=(late,),
              help="Accounted for, and never part of 100 %. A late answer is taken until the campaign closes."),
        State(NOT_REACHED, standing=Standing.UNREACHABLE, final=True, label="Not reached"),
    ]  # fmt: skip


def reaching(reach: Reach) -> list[Transition]:
    """Return the moves by which a member is reached for."""
    return [*_turning(reach), *_promising(reach), *_proving(reach), *_deciding(reach)]


def _turning(reach: Reach) -> list[Transition]:
    silent = (chasing.no_promise_stands, rules.nothing_was_opened(reach.unopened))
    turned: dict[str, Any] = {"by": SYSTEM, "does": (rules.turn,)}
    return [
        Transition("turn_to_next_contact", reach.chased, None,
                   only_if=(*silent, rules.another_contact_is_left), **turned),
        Transition("turn_to_next_contact", reach.chased, None, by=SYSTEM, does=(rules.ask_call,),
                   only_if=(*silent, rules.is_in_time, rules.every_contact_was_tried)),
        Transition("not_me", reach.not_answered, None, by=MEMBER, needs=forms.NotMe,
                   only_if=(rules.may_still_say_so,),
                   checks=(rules.contact_is_of_this_member, rules.says_so_for_the_first_time),
                   does=(rules.take_not_me,), label="I am not the right person",
                   help="No answer: it only says that somebody else should be written to."),
        Transition("choose_contact", reach.chased, None, by=EITHER, needs=forms.ChosenContact,
                   checks=(rules.chosen_can_be_asked, rules.chosen_is_another), does=(rules.choose,),
                   label="Write to another contact", help="Also the way back from “I am not the right person”."),
        Transition("contact_lost", reach.chased, None, by=SYSTEM, needs=forms.ContactLost, does=(rules.take_loss,),
                   help="Mail to one contact came back, or they have left: the next one is written to at once."),
    ]  # fmt: skip


def _promising(reach: Reach) -> list[Transition]:
    """A promise that is moved is a promise anew, with rungs of its own; an answer ends it with the state."""
    promised: dict[str, Any] = {"restarts": (PROMISE.name,)}
    call: dict[str, Any] = {
        "by": EITHER, "needs": forms.Call, "closes_tasks": ("phone",), "label": "Log a call",
        "help": "A refusal on the phone is noted here; it counts as refused only once it is in writing.",
    }  # fmt: skip
    return [
        Transition("promise", reach.chased, None, by=MEMBER, needs=forms.Promise,
                   only_if=(proof.a_promise_is_left,),
                   checks=(proof.promise_is_soon, proof.another_day_is_promised), does=(proof.keep_promise,),
                   label="Say by when you will answer", help="Reminders are held back until then.", **promised),
        Transition("promise_day", reach.chased, None, by=SYSTEM, does=(proof.remind_of_promise,),
                   only_if=(proof.promised_before_today, chasing.not_written_to_today)),
        Transition("promise_broken", reach.chased, None, by=SYSTEM, does=(proof.break_promise,),
                   sends=(Send("reach_promise_broken", "owner"),), **promised),
        Transition("log_call", reach.chased, None, does=(proof.note_call,),
                   checks=(chasing.promise_has_a_day, proof.nothing_is_promised), **call),
        Transition("log_call", reach.chased, None, does=(proof.note_call, proof.keep_promise),
                   checks=(chasing.promise_has_a_day,), **promised, **call),
        *([Transition("log_call", reach.others, None, checks=(chasing.promise_has_a_day,),
                      does=(proof.note_call, proof.note_promise_by_hand), **call)] if reach.others else []),
    ]  # fmt: skip


def _proving(reach: Reach) -> list[Transition]:
    everywhere = tuple(dict.fromkeys((*reach.not_answered, *reach.others)))
    return [
        Transition("log_letter", everywhere, None, by=EITHER, needs=forms.PostedLetter,
                   checks=(proof.letter_was_posted,), does=(proof.count_letter,), label="Log a letter by post",
                   help="Posted letters and notices are part of the proof that nobody can be reached."),
        Transition("propose_unreachable", reach.provable, ASKED_UNREACHABLE, by=COORDINATOR,
                   needs=forms.Unreachable, only_if=(proof.evidence_suffices,), does=(proof.remember_where,),
                   sends=(Send("reach_unreachable_asked", "manager"),), label="Propose as unreachable",
                   help="With bounces, calls and letters on record. A manager decides; it is never part of 100 %."),
    ]  # fmt: skip


def _deciding(reach: Reach) -> list[Transition]:
    eyes: dict[str, Any] = {"by": MANAGER, "needs": forms.Because, "four_eyes": ("propose_unreachable",)}
    return [
        Transition("confirm_unreachable", ASKED_UNREACHABLE, UNREACHABLE, only_if=(proof.evidence_suffices,),
                   closes_tasks=("*",), outcome="unreachable", label="Agree: unreachable",
                   help="Accounted for, and never part of 100 %.", **eyes),
        *(Transition("decline_unreachable", ASKED_UNREACHABLE, state, only_if=(proof.was_in(state),),
                     sends=(Send("reach_unreachable_declined", "owner"),), label="Not yet: try on", **eyes)
          for state in reach.provable),
        Transition("campaign_closed", UNREACHABLE, NOT_REACHED, by=SYSTEM, outcome="unreachable", closes_tasks=("*",)),
        Transition("give_up", UNREACHABLE, NOT_REACHED, by=SYSTEM, outcome="unreachable", closes_tasks=("*",)),
    ]  # fmt: skip
