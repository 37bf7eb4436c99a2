"""Guards and effects of a cancellation that concern offers and hardship. None of them stands in front of the
exit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from state_machines.draft import Draft
from state_machines.offers import Authority, Offer, eligible, read_catalogue
from state_machines.processes.cancellation_rules import outside_cooling_off, take_notice_back, work_out_end
from state_machines.values import Role

HELP_KIND = {"reduced_rate": "hardship", "freeze_without_fee": "freeze", "payment_plan": "hardship"}


def may_be_asked(draft: Draft) -> bool:
    """No offers to this member: they asked for none, or their situation forbids it."""
    return (
        not draft.get("wants_no_offers")
        and not draft.get("offers_over")
        and not draft.get("deceased")
        and draft.get("channel") in draft.setting("offer_channels")
        and not {str(r) for r in draft.get("reasons", [])} & set(draft.setting("no_offer_reasons"))
        and draft.get("early_exit_reason") not in draft.setting("no_offer_reasons")
        and not _flagged(draft)
        and not has_open_complaint(draft)
        and not is_repeat(draft)
    )


def _flagged(draft: Draft) -> bool:
    return bool(set((draft.fact("member") or {}).get("flags", ())) & set(draft.setting("no_offer_flags")))


def has_open_complaint(draft: Draft) -> bool:
    """There is no open complaint."""
    if (draft.fact("history") or {}).get("open_complaints"):
        return True
    linked = draft.fact("linked") or ()
    return any(other.get("process") == "complaint" and not other.get("outcome") for other in linked)


def is_repeat(draft: Draft) -> bool:
    """It is the first cancellation in the window."""
    history = draft.fact("history") or {}
    return bool(history.get("saved_case") or history.get("cancellations_window"))


def plan_contact(draft: Draft) -> None:
    """Who did not write through the web is called; there the page shows offers beside the exit."""
    if draft.get("channel") != "web":
        draft.task("contact_member", "Ask the member once whether an offer would help", Role.COORDINATOR, "WD(1)")


# --- which offers


def catalogue(draft: Draft) -> dict[str, Offer]:
    """The offers of the policy by code."""
    return read_catalogue(draft.setting("offers"))


def view(draft: Draft) -> dict[str, Any]:
    """What conditions may ask about: the facts of the case, and how long the member has been one."""
    member = draft.fact("member") or {}
    start, today = draft.get("contract_start"), date.fromisoformat(draft.today)
    months = (today - date.fromisoformat(str(start)[:10])).days // 30 if start else None
    return {**draft.data, "tenure_months": months, "flags": list(member.get("flags", ()))}


def used(draft: Draft) -> Mapping[str, int]:
    """How often the member took each offer in 24 months; what was offered and not taken does not count."""
    offers = (draft.fact("history") or {}).get("offers_24m") or ()
    return Counter(offer["code"] for offer in offers if offer.get("accepted_on"))


def available(draft: Draft) -> list[Offer]:
    """The offers this member may have now."""
    return eligible(catalogue(draft), view(draft), used(draft))


def offers_left(draft: Draft) -> bool:
    """The member has had all the offers of this attempt; end the membership as they asked."""
    return len(_ordinary(draft)) < int(draft.setting("offers_per_attempt"))


def no_screen_yet(draft: Draft) -> bool:
    """Offers are shown once. You can end the membership at once."""
    return not _ordinary(draft)


def _ordinary(draft: Draft) -> list[Mapping[str, Any]]:
    return [offer for offer in draft.get("offers", []) if not offer.get("hardship")]


def something_to_show(draft: Draft) -> bool:
    """There is no offer that fits. You can end the membership at once."""
    return _shown(draft) is not None


def _shown(draft: Draft) -> Offer | None:
    limits = _authority(draft)
    return next((o for o in available(draft) if limits.allows(o, _value(draft, o), frozenset({Role.SYSTEM}))), None)


def _authority(draft: Draft) -> Authority:
    return Authority(limits=draft.setting("authority"))


def _value(draft: Draft, offer: Offer) -> Decimal:
    price = Decimal(str(draft.get("monthly_price") or draft.setting("usual_monthly_price")))
    return offer.value(price, draft.typed("months"), draft.typed("percent"), Decimal(draft.typed("credit", 0)))


def known_and_eligible(draft: Draft) -> bool:
    """This offer is not in the catalogue, or this member may not have it now."""
    return any(offer.code == draft.typed("code") for offer in available(draft))


def within_terms(draft: Draft) -> bool:
    """The months, discount or credit go beyond what the catalogue allows for this offer."""
    offer = catalogue(draft).get(draft.typed("code"))
    return offer is not None and offer.allows(draft.typed("months"), draft.typed("percent"), draft.typed("credit"))


def within_authority(draft: Draft) -> bool:
    """This offer is worth more than you may give; ask a manager to make it."""
    offer = catalogue(draft).get(draft.typed("code"))
    return offer is not None and _authority(draft).allows(offer, _value(draft, offer), draft.actor.roles)


# --- making and answering


def show_offer(draft: Draft) -> None:
    """Put the first offer that fits on the table, with the least terms."""
    offer = _shown(draft)
    if offer is not None:
        months, percent = offer.terms(None, None)
        _put(
            draft,
            offer.code,
            offer.kind,
            terms=offer.title,
            months=months,
            percent=percent,
            value=str(_value(draft, offer)),
        )


def put_offer(draft: Draft) -> None:
    """Put the offer that was typed on the table."""
    offer = catalogue(draft)[draft.typed("code")]
    months, percent = offer.terms(draft.typed("months"), draft.typed("percent"))
    price = draft.typed("new_monthly_price")
    _put(draft, offer.code, offer.kind, terms=draft.typed("terms"), months=months, percent=percent,
         value=str(_value(draft, offer)), credit=str(draft.typed("credit")),
         new_price=str(price) if price else None)  # fmt: skip


def put_help(draft: Draft) -> None:
    """Put help in hardship on the table."""
    price = draft.typed("new_monthly_price")
    kind = str(draft.typed("help"))
    draft.set(hardship_path="decided", hardship_help=kind)
    _put(draft, f"hardship_{kind}", HELP_KIND[kind], hardship=True, terms=draft.typed("terms"),
        months=draft.typed("months"),
         percent=draft.typed("percent"), new_price=str(price) if price else None)  # fmt: skip


def _put(draft: Draft, code: str, kind: str, **terms: Any) -> None:
    allowance = draft.context.policy.clock(draft.process.name, "offer_reply").allow
    offer = {
        "code": code, "kind": kind, "made_at": draft.now.isoformat(), "by": draft.actor.role.value,
        "open_until": draft.after(str(allowance)).isoformat(),
        **{k: v for k, v in terms.items() if v is not None},
    }  # fmt: skip
    draft.set(offers=[*draft.get("offers", []), offer], offer=offer)


def offer_on_the_table(draft: Draft) -> bool:
    """No offer is open; it has run out or none was made."""
    offer = draft.get("offer")
    return bool(offer) and draft.now <= datetime.fromisoformat(offer["open_until"])


def take_offer(draft: Draft) -> None:
    """The member stays on the new terms: the notice is withdrawn, and people are told what to change."""
    offer = dict(draft.get("offer"))
    take_notice_back(draft)
    draft.set(
        saved_by="offer", saved_kind=offer["kind"], accepted_offer=offer["code"],
        offers=[*draft.get("offers")[:-1], {**offer, "accepted_on": draft.today}], hardship_path="decided",
    )  # fmt: skip
    draft.task("apply_offer", "Change the membership as agreed", Role.COORDINATOR, "WD(2)", offer=offer["code"])
    if offer.get("new_price") or offer.get("percent") or offer["kind"] in ("freeze", "downgrade", "hardship"):
        draft.task("advance_notice",
            "Send the payer advance notice of the new amount before the next collection",
                   Role.FINANCE, "WD(2)", offer=offer["code"])  # fmt: skip


def name_the_save(draft: Draft) -> None:
    """Say in one word how the member was kept."""
    draft.set(outcome=f"saved_{draft.get('saved_kind', 'other')}")


# --- hardship


def notice_hardship(draft: Draft) -> None:
    """Hear hardship in what was ticked or said; only its category is kept."""
    said = str(draft.typed("verbatim", "") or "").lower()
    words = any(word in said for word in draft.setting("hardship_words"))
    if draft.get("hardship") or words or "money_trouble" in draft.get("reasons", []):
        _begin(draft, str(draft.get("hardship_category") or "self_declared"))


def declare_hardship(draft: Draft) -> None:
    """The member says that money is short."""
    _begin(draft, str(draft.typed("category") or "self_declared"))


def _begin(draft: Draft, category: str) -> None:
    if (
        draft.get("deceased")
        or draft.get("hardship_path")
        or draft.get("channel") == "bank"
        or not outside_cooling_off(draft)
    ):
        return
    draft.set(hardship=True, hardship_path="waiting", hardship_category=category, dunning="stopped")
    draft.task("stop_dunning", "Stop every demand for payment to this member", Role.FINANCE, "WD(1)")


def in_hardship(draft: Draft) -> bool:
    """There is no hardship to look at, or the member wants to leave at once."""
    over = draft.get("wants_no_offers") or draft.get("offers_over") or draft.get("deceased")
    return bool(draft.get("hardship_path") == "waiting" and not over)


def hardship_waits(draft: Draft) -> bool:
    """Hardship has been decided, or nobody has spoken of it."""
    return str(draft.get("hardship_path")) == "waiting"


def no_hardship_yet(draft: Draft) -> bool:
    """Hardship is already on record."""
    return not draft.get("hardship_path")


def let_go_free(draft: Draft) -> None:
    """Hardship ends the membership on the day of the statement, without a fee."""
    draft.set(hardship_path="decided", hardship_help="fee_free_exit", fee_free_exit=True)


def let_go_free_now(draft: Draft) -> None:
    """The same while notice already runs: the end is worked out again."""
    let_go_free(draft)
    work_out_end(draft)
