"""What must be true before a signature moves, and what its moves order."""

from __future__ import annotations

import unicodedata

from state_machines.draft import Draft
from state_machines.processes.chasing import deadline_has_passed, member_name, not_written_to_today
from state_machines.processes.reaching_rules import contacts
from state_machines.values import Role

ASKED = ("sent", "viewed", "expired")
"""Asked and friendly: reminders go out."""
CHASED = (*ASKED, "escalated", "formal_notice")
"""A signature is awaited and the ladder runs."""
SEARCHED = ("pending", "bounced", "wrong_signatory")
"""Somebody looks for whom to ask."""
WAITING = (*CHASED, *SEARCHED, "exemption_requested", "decision")
"""No signature yet, and something else may have to come first."""
SIGNING = ("sent", "viewed", "escalated", "formal_notice", *SEARCHED, "exemption_requested", "decision")
"""Those of them in which the personal link takes a signature: it is not too old."""
CHECKED = ("signed", "signed_with_reservation", "countersigning")
LATE = ("failed", "refused")

# --- guards: the ladder


def may_be_reminded(draft: Draft) -> bool:
    """No reminder: the member was written to today, the deadline has passed, or no signature is awaited."""
    in_time = draft.today <= str(draft.get("deadline"))
    return draft.case.state in ASKED and in_time and not_written_to_today(draft)


def signatory_is_on_file(draft: Draft) -> bool:
    """No contact of the member may sign for it and can be written to: name its authorised signatory first."""
    roles = draft.setting("signatory_roles")
    declined = draft.get("contacts_declined", ())
    known = (each for each in contacts(draft) if each["id"] not in declined)
    return any(each["usable"] and each["role"] in roles for each in known)


# --- guards: the signature


def text_is_the_one_asked_for(draft: Draft) -> bool:
    """The text that was shown is not the one that is to be signed: open the page again, and read the text there."""
    return draft.typed("document_sha256") in dict(draft.get("document_languages") or {}).values()


def signed_text_holds(draft: Draft) -> bool:
    """What was signed is not the text that is asked for, so the signature does not count: ask the member again."""
    return draft.get("signed_sha256") in dict(draft.get("document_languages") or {}).values()


def everything_fits(draft: Draft) -> bool:
    """The signer, the address or the name of the organisation is not the one on file: a person must look."""
    fits = bool(draft.get("role_fits")) and bool(draft.get("domain_fits"))
    return fits and _plain(str(draft.get("legal_name") or "")) == _plain(member_name(draft)) != ""


def _plain(name: str) -> str:
    """A name without what law and habit write differently: capitals, spaces, dots and dashes."""
    return "".join(sign for sign in unicodedata.normalize("NFKC", name).casefold() if sign.isalnum())


def is_countersigned(draft: Draft) -> bool:
    """The plan does not ask for a countersignature."""
    return bool(draft.get("countersign"))


def is_not_countersigned(draft: Draft) -> bool:
    """The plan asks for a countersignature."""
    return not is_countersigned(draft)


def new_text_differs(draft: Draft) -> bool:
    """This is the version the member is asked for already."""
    return bool(draft.typed("document") != draft.get("document"))


# --- effects: calling, and whom to ask


def ask_first_call(draft: Draft) -> None:
    """Somebody rings the signatory."""
    title = f"Ring {member_name(draft)}: the signature is overdue"
    draft.task("phone", title, Role.COORDINATOR, draft.setting("call_within"), attempt=1)


def take_not_me(draft: Draft) -> None:
    """Nobody is asked to sign any more who has said that they may not."""
    contact = draft.typed("contact")
    if contact is not None:
        declined = [each for each in draft.get("contacts_declined", ()) if each != contact]
        draft.set(contacts_declined=[*declined, contact])


def ask_for_signatory(draft: Draft) -> None:
    """Somebody finds out who may sign for the member."""
    title = f"Find out who may sign for {member_name(draft)}"
    draft.task("contact_repair", title, Role.COORDINATOR, draft.setting("repair_within"))


# --- effects: the signature


def note_language(draft: Draft) -> None:
    """Remember in which language the text was opened."""
    if draft.typed("language"):
        draft.set(viewed_language=draft.typed("language"))


def take_signature(draft: Draft) -> None:
    """Keep what the check and the evidence record need; who signed is kept apart from the facts."""
    late = draft.today > str(draft.get("deadline"))
    draft.set(signed_on=draft.today, signed_at=draft.now.isoformat(), late=late, promised_on=None)
    draft.set(signed_sha256=draft.typed("document_sha256"), signed_language=draft.typed("language"))
    for name in ("legal_name", "method", "role_fits", "domain_fits"):
        draft.set(**{name: draft.typed(name)})
    draft.set(signed_by_contact=draft.typed("contact_id"), reservation=draft.typed("reservation"))
    draft.name_party("signer", name=draft.typed("name"), position=draft.typed("position"))


def send_receipt(draft: Draft) -> None:
    """Whoever signed gets a receipt; where that is no contact of ours, the signatory."""
    draft.send("signature_receipt", signer(draft))


def send_confirmation(draft: Draft) -> None:
    """Whoever signed hears that the signature counts."""
    draft.send("signature_valid", signer(draft))


def signer(draft: Draft) -> str:
    """Return the audience of letters to whoever signed."""
    contact = draft.get("signed_by_contact")
    return f"contact:{contact}" if contact else "signatory"


def forget_signature(draft: Draft) -> None:
    """The signature does not count; it stays in the events."""
    draft.set(signed_on=None, signed_sha256=None, reservation=None)


def take_new_edition(draft: Draft) -> None:
    """From now on the member is asked for the newer text."""
    draft.set(**{name: draft.typed(name) for name in _EDITION})


_EDITION = ("document", "document_title", "document_number", "document_languages", "authoritative")


# --- effects: exemption and the end


def tell_decline(draft: Draft) -> None:
    """Tell the member, and whether the deadline has passed meanwhile."""
    draft.set(last_written=draft.today)
    draft.send("signature_exemption_declined", "signatory", passed=deadline_has_passed(draft))


def open_incident(draft: Draft) -> None:
    """Open one monitoring case for this signature, and never a second."""
    if draft.get("incident_opened"):
        return
    draft.set(incident_opened=True)
    refused = draft.taken is not None and draft.taken.target == "refused"
    draft.spawn(
        "monitoring",
        f"No signature under {draft.get('document_title')} {draft.get('document_number')}",
        link="caused_by",
        criterion="commitment_conduct",
        severity="major",
        source="refusal to sign" if refused else "missing signature",
        source_date=draft.today,
        evidence="campaign record",
    )
