"""What must be true before a sign-off campaign moves, and what its moves order, besides what every campaign has."""

from __future__ import annotations

from datetime import date, timedelta

from state_machines.draft import Draft
from state_machines.processes import campaign_rules as campaign
from state_machines.standing import FULFILLED, Standing

ASKS_FOR = "asks_for"
"""How the campaign is linked to its document."""
DECIDED = frozenset({Standing.UNANSWERED, Standing.UNREACHABLE})
"""Not signed, decided so, and looked at in a monitoring case."""
_EDITION = ("document", "document_title", "document_number", "document_languages", "authoritative")

# --- guards


def document_is_in_force(draft: Draft) -> bool:
    """The document is not in force, so nobody can be asked to sign it."""
    named = [each for each in draft.fact("linked") or () if each["ref"] == draft.get("document")]
    return all(each["state"] == "effective" for each in named)


LAUNCH = (*campaign.LAUNCH[:-1], document_is_in_force, campaign.LAUNCH[-1])


def a_version_is_left(draft: Draft) -> bool:
    """The document has changed too often while it was being signed; close this campaign and plan another."""
    return draft.count("new_version") < int(draft.setting("versions"))


def is_another_document(draft: Draft) -> bool:
    """This is the version that is asked for already."""
    return bool(draft.typed("document") != draft.get("document"))


def is_material(draft: Draft) -> bool:
    """The change is not material: members are told, and what they signed stays."""
    return bool(draft.typed("material"))


def everyone_else_is_decided(draft: Draft) -> bool:
    """Somebody has neither signed nor been decided about."""
    standings = campaign.child_of(draft).standings
    wanted = FULFILLED | DECIDED
    left = sum(n for state, n in campaign.asked(draft).items() if standings.get(state) not in wanted)
    return not left or draft.because(
        f"{left} {'have' if left > 1 else 'has'} neither a valid signature nor a decision: check or decide each first,"
        " so that a monitoring case is open for every signature that is missing."
    )


def each_outstanding_has_a_case(draft: Draft) -> bool:
    """The list must name everybody whose signature is missing, each with its monitoring case."""
    left, listed = campaign.outstanding(draft), len(draft.typed("outstanding", []))
    return left == listed or draft.because(
        f"{left} are outstanding and {listed} are listed; name each of them, with its monitoring case."
    )


# --- effects


def take_new_document(draft: Draft) -> None:
    """From now on this version is asked for."""
    draft.set(**{name: draft.typed(name) for name in _EDITION}, summary=draft.typed("summary"))


def begin_new_round(draft: Draft) -> None:
    """Everybody is asked again, under the new version and with a new deadline; nothing that was signed counts."""
    deadline = date.fromisoformat(draft.today) + timedelta(days=int(draft.setting("window_days")))
    draft.set(
        round=int(draft.get("round") or 1) + 1, launched_on=draft.today, launch=draft.today,
        deadline=max(deadline.isoformat(), str(draft.get("deadline"))),
    )  # fmt: skip
    draft.fire_linked("supersede", "children_all")
    campaign.ask_everyone(draft)
    draft.send("signoff_new_round", "owner")
    draft.send("signoff_new_round", "manager")


def pass_on_edition(draft: Draft) -> None:
    """Members hear of the new text; who has not signed yet is asked for it, who has signed need do nothing."""
    given = {name: draft.typed(name) for name in (*_EDITION, "material", "summary")}
    draft.fire_linked("new_edition", "children_all", **given)
