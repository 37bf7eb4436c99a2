"""Every state of every process has a page that is sound, for whoever may act in it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from cases import facts
from cases.commands import open_one
from cases.environment import world
from cases.locking import lock_ref
from cases.rows import clocks_to_json
from config.database import json_text, transaction
from state_machines import clockwork
from state_machines.registry import process_named, processes
from state_machines.values import SYSTEM, Role
from tests.cast import MONDAY, Cast
from tests.core.test_code_document import VERSION
from tests.core.test_signature import REQUEST
from tests.core.test_signoff_campaign import PLAN
from tests.pages.conftest import SignedIn

OPENING: dict[str, dict[str, Any]] = {
    "monitoring": {"criterion": "decent_work", "source": "audit", "source_date": "2026-02-20", "evidence": "Report 7"},
    "complaint": {"category": "pool", "description": "Cold water.", "complainant_email": "zoe@example.org"},
    "cancellation": {"channel": "phone"},
    "survey_campaign": {
        "title": "Annual self-assessment 2026", "questionnaire": "self-assessment", "questionnaire_fingerprint": "9f2c",
        "launch": "2026-03-03", "deadline": "2026-04-17", "population": {"team": ["North"]}, "ladder": "standard",
        "owners": ["amara"], "risks": ["Easter"], "languages": ["en"],
    },
    "survey_response": {
        "launch": "2026-03-03", "deadline": "2026-04-17", "questionnaire": "self-assessment",
        "questionnaire_version": 4, "campaign_title": "Annual self-assessment 2026",
    },
    "code_document": VERSION,
    "signoff_campaign": PLAN,
    "signature": REQUEST,
}  # fmt: skip


def put_into(cast: Cast, ref: str, state: str) -> None:
    """Put a case into a state with the clocks it has there, without the way that leads to it."""
    with transaction(cast.env.engine) as conn:
        here = world(conn, cast.env, MONDAY)
        locked = lock_ref(conn, ref)
        assert locked is not None
        process = process_named(locked.case.process)
        case = replace(locked.case, clocks={})
        context = here.context(facts.gather(conn, [case], now=MONDAY)[case.id])
        clocks = clockwork.after_move(process, case, state, case.data, (), context=context, now=MONDAY)
        final = process.state(state).final
        conn.execute(
            text("UPDATE cases SET state = :state, clocks = CAST(:clocks AS jsonb), owner_role = :role, "
                 "closed_at = CASE WHEN :final THEN received_at END WHERE ref = :ref"),
            {"state": state, "clocks": json_text(clocks_to_json(clocks)), "role": process.state(state).owner.value,
             "final": final, "ref": ref},
        )  # fmt: skip


WHO = {Role.COORDINATOR: "Amara", Role.MANAGER: "Mina", Role.SENIOR: "Sol", Role.COUNCIL: "Cara"}


@pytest.mark.parametrize("name", list(processes()))
def test_every_state_has_a_page_with_its_forms(desk: SignedIn, cast: Cast, name: str) -> None:
    cast.members("Süßstoff & Söhne")
    opener = SYSTEM if Role.SYSTEM in process_named(name).opened_by else cast.actor("Amara")
    ref = open_one(cast.env, name, member="Süßstoff & Söhne", subject="Über alles", payload=OPENING[name],
                   actor=opener, now=MONDAY).after.ref  # fmt: skip
    people = {role: desk(who) for role, who in WHO.items()}
    asked = set()
    for state in process_named(name).states:
        put_into(cast, ref, state.name)
        who = people.get(state.owner, people[Role.MANAGER])
        page = who.get(f"/cases/{ref}")
        assert page.words("#diagram .current title")[0].startswith(state.title)
        for link in page.all(f'#actions a[href^="/cases/{ref}/do/"]'):
            if link["href"] not in asked:
                asked.add(link["href"])
                assert who.get(str(link["href"])).words("h1") == [link.text.strip()]
    assert asked
