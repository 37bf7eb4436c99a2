"""An organisation in which everything that matters belongs to the North, and every word of it can be recognised."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cases import commands, evidence
from cases.inbox.taking import take
from config.database import reading, transaction
from members import store
from members.proposals import propose
from members.staff_commands import add_staff
from state_machines.values import SYSTEM
from tests import campaign_story, signing_story
from tests.cast import MONDAY, Cast
from tests.core.incoming_samples import plain
from web import saved_views
from web.accounts import tokens

SECRETS = ("Nordgeheim", "Verschwiegen", "Stillewasser", "Flüsterpost")
"""Name of the member, subjects of its cases, words in notes, name of the file. The campaign is everybody's."""
MORE_PEOPLE = {"Sid": "site", "Fay": "finance", "Aud": "auditor"}


@dataclass
class North:
    """Where everything is: the values of the variables of every path."""

    cast: Cast
    member: str
    complaint: str
    monitoring: str
    cancellation: str
    campaign: str
    response: str
    sha256: str
    message: int
    contact: int
    proposal: int
    view: int
    document: str
    """Everybody's, like the campaign; whose signature is asked for is not."""
    signature: str
    mails: tuple[int, int]
    """In the inbox: of the member's contact, about no case; of a stranger, who names the complaint."""
    tokens: dict[str, str] = field(default_factory=dict)

    def fingerprint(self) -> Any:
        """Everything that a person could have changed, as counts and newest versions."""
        return self.cast.rows("""
            SELECT (SELECT count(*) FROM case_events), (SELECT sum(version) FROM cases),
                   (SELECT count(*) FROM messages), (SELECT count(*) FROM member_changes),
                   (SELECT sum(version) FROM members),
                   (SELECT count(*) FROM evidence_files), (SELECT count(*) FROM drafts),
                   (SELECT count(*) FROM member_proposals WHERE status <> 'open'), (SELECT count(*) FROM case_links),
                   (SELECT count(*) FROM signatures), (SELECT count(*) FROM document_versions),
                   (SELECT count(*) FROM rehearsals), (SELECT count(*) FROM calendar_feeds),
                   (SELECT string_agg(state || coalesce(case_id, 0), ',' ORDER BY id) FROM inbox_messages),
                   (SELECT count(*) FROM campaign_members WHERE included),
                   (SELECT string_agg(name || shared || query, '' ORDER BY id) FROM saved_views)""")


def north_of(cast: Cast) -> North:
    """Make it: a member of the North with a case of every process, and somebody of every role."""
    env, amara = cast.env, cast.actor("Amara")
    for name, role in MORE_PEOPLE.items():
        add_staff(env.engine, name, f"{name.lower()}@muster.example", [role], team="South", actor=SYSTEM, now=MONDAY)
    [number] = cast.members("Nordgeheim AG", tier="Premier")
    with reading(env.engine) as conn:
        card = store.member_card(conn, [number])[number]
        [contact] = store.contacts_of(conn, [number])[number]
    complaint = commands.open_one(
        env, "complaint", member=card.ref, subject="Verschwiegen: a complaint", actor=amara,
        payload={"category": "parking", "description": "Stillewasser", "complainant_name": "Nordgeheim",
                 "complainant_email": "who@nordgeheim.example"},
    ).after.ref  # fmt: skip
    commands.note(env, complaint, "Stillewasser runs deep", actor=amara)
    file = evidence.add(env, complaint, "Flüsterpost.txt", b"Stillewasser", actor=amara)
    monitoring = commands.open_one(
        env, "monitoring", member=card.ref, subject="Verschwiegen: a finding", actor=amara,
        payload={"criterion": "decent_work", "source": "A newspaper", "source_date": "2026-02-20",
                 "evidence": "https://news.example/1"},
    ).after.ref  # fmt: skip
    cancellation = commands.open_one(
        env, "cancellation", member=card.ref, subject="Verschwiegen: leaving", actor=amara, payload={"channel": "email"}
    ).after.ref
    campaign = _campaign(cast)
    response = cast.scalar("SELECT ref FROM cases WHERE process = 'survey_response' AND member_id = :m", m=number)
    message = cast.scalar("SELECT m.id FROM messages m JOIN cases c ON c.id = m.case_id WHERE c.ref = :r LIMIT 1",
                          r=complaint)  # fmt: skip
    wish = {"website": "https://nordgeheim.example"}
    proposal = propose(env.engine, number, wish, proposed_by=f"contact:{contact.id}", source="a page", now=MONDAY)
    me = int(amara.person.removeprefix("staff:"))
    saved_views.save(env, "Verschwiegen", "/cases", "process=complaint", shared=False, staff_id=me, now=MONDAY)
    view = cast.scalar("SELECT id FROM saved_views")
    document = signing_story.version(cast)
    signature = signing_story.asked(cast, document, number)
    mails = (_mail(cast, f"Nordgeheim <{contact.email}>", "Verschwiegen: a question", "Verschwiegen"),
             _mail(cast, "eve@elsewhere.example", f"Flüsterpost about {complaint}", "Stillewasser"))  # fmt: skip
    made = North(cast, card.ref, complaint, monitoring, cancellation, campaign, response, file.sha256, message,
                 contact.id, proposal, view, document, signature, mails)  # fmt: skip
    for name in ("Bo", "Amara", "Mina"):
        who = int(cast.actor(name).person.removeprefix("staff:"))
        with transaction(env.engine) as conn:
            made.tokens[name] = tokens.make(conn, name, tokens.SCOPES, staff_id=who, made_by=who, now=MONDAY)
    return made


def _mail(cast: Cast, sender: str, subject: str, words: str) -> int:
    number = take(cast.env, plain(sender, subject, words), source="test").number
    assert number is not None
    return number


def _campaign(cast: Cast) -> str:
    """A campaign of the North that has been launched."""
    cast.members("Südwind Ltd", team="South", tier="Premier")
    story = campaign_story.planned(cast, by="Amara", title="A survey of everybody")
    story.fire(story.ref, "approve_plan", "Max", data_protection_checked=True)
    story.fire(story.ref, "skip_pilot", "Max", reason="Asked before")
    story.at(campaign_story.LAUNCH)
    return story.ref
