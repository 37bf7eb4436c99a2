"""A sign-off among five members of two teams, told through the commands that people use."""

from __future__ import annotations

from sqlalchemy import text

from cases import campaigns
from cases.own.giving_signature import sign
from config.database import transaction
from tests.campaign_story import Story
from tests.cast import Cast
from tests.signing_story import fire, form, page, state

NAMES = ("Åkerlund AB", "Brûlé & Fils", "Çelik Tekstil", "Dvořák Mills", "Ērgļi Wool")
DIRECTOR = "Chandra Rao"


def signers(cast: Cast) -> None:
    """Five members, a suspended one among them, and one that has left; of Ērgļi Wool nobody is on file who may sign."""
    cast.members(*NAMES[:4], team="North")
    cast.members(NAMES[4], team="South", status="suspended")
    cast.members("Gone Ltd", status="terminated")
    with transaction(cast.env.engine) as conn:
        conn.execute(text("UPDATE contacts SET name = :name"), {"name": DIRECTOR})
        conn.execute(text("UPDATE contacts SET role = 'signatory' WHERE member_id <> 5"))


def planned(cast: Cast, document: str) -> Story:
    """Return a story whose sign-off is planned."""
    plan = {
        "kind": "signoff", "title": "Code of Practice 2026", "document": document, "launch": "2026-03-09",
        "deadline": "2026-04-08", "population": {"status": ["active", "suspended"]},
    }  # fmt: skip
    return Story(cast, campaigns.plan_campaign(cast.env, plan, actor=cast.actor("Mina")).after.ref)


def launched(cast: Cast, document: str) -> Story:
    """Return a story whose sign-off is live, its requests delivered."""
    story = planned(cast, document)
    fire(cast, story.ref, "approve_plan", "Max", data_protection_checked=True)
    story.at("2026-03-09")
    return story


def newest(story: Story, member: str) -> str:
    """The reference of a member's newest signature."""
    found = story.cast.scalar(
        "SELECT c.ref FROM cases c JOIN members m ON m.id = c.member_id JOIN cases p ON p.id = c.parent_id "
        "WHERE m.name = :name AND p.ref = :ref ORDER BY c.id DESC LIMIT 1", name=member, ref=story.ref,
    )  # fmt: skip
    return str(found)


def signs(story: Story, member: str, **changed: object) -> str:
    """Have a member sign on its page; return the state its signature is in then."""
    ref = newest(story, member)
    found = page(story.cast, ref)
    sign(story.cast.env, found, form(found, **changed), now=story.cast.env_now)
    return state(story.cast, ref)
