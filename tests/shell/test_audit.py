"""The record: what the owner of the database changed, cut or reordered is found; a case can be rebuilt from it."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Callable
from datetime import date, timedelta
from enum import Enum
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import pytest
from pydantic import BaseModel
from sqlalchemy import select, text

from cases import audit, commands, nightly, queries
from cases.audit import AuditReport
from cases.errors import BadInput, CaseError, CaseNotFound, NotAllowed
from cases.rows import event_hash, personal_digest
from cases.sweep import sweep_due
from cases.tables import CaseRow
from config.database import reading, transaction
from state_machines.registry import process_named
from state_machines.values import Actor, Role
from tests.cast import MONDAY, Cast

PEOPLE = ("Amara", "Mina", "Max", "Sol", "Cara")


def complaints(cast: Cast, count: int = 3, notes: int = 3) -> list[str]:
    """Open complaints with a few notes each, so that every chain has links."""
    amara = cast.actor("Amara")
    refs = []
    for number in range(count):
        found = commands.open_one(cast.env, "complaint", member=None, subject=f"No {number}", actor=amara,
                                  payload={"category": "service", "complainant_name": "Jo Doe"})  # fmt: skip
        refs.append(found.after.ref)
        for note in range(notes):
            commands.note(cast.env, refs[-1], f"note {note}: “Wētā” rang", actor=amara)
    return refs


def verified(cast: Cast, **options: Any) -> AuditReport:
    with reading(cast.env.engine) as conn:
        return audit.verify(conn, **options)


def behind_the_guard(cast: Cast, *statements: str) -> None:
    """Do what only the owner of the database can do."""
    with transaction(cast.env.engine) as conn:
        conn.execute(text("ALTER TABLE case_events DISABLE TRIGGER USER"))
        for statement in statements:
            assert conn.execute(text(statement)).rowcount > 0, statement
        conn.execute(text("ALTER TABLE case_events ENABLE TRIGGER USER"))


def forged(cast: Cast, case_id: int, first: int) -> None:
    """Change an event and compute every hash after it again, the head of the case included."""
    with transaction(cast.env.engine) as conn:
        conn.execute(text("ALTER TABLE case_events DISABLE TRIGGER USER"))
        conn.execute(text("UPDATE case_events SET actor = 'staff:99' WHERE case_id = :c AND seq = :s"),
                     {"c": case_id, "s": first})  # fmt: skip
        rows = conn.execute(text("SELECT *, details::text AS raw FROM case_events WHERE case_id = :c ORDER BY seq"),
                            {"c": case_id}).all()  # fmt: skip
        before = "0" * 64
        for row in rows:
            hashed = event_hash(
                before, row.case_id, row.seq, row.at, row.actor, row.role, row.on_behalf_of, row.kind, row.trigger,
                row.source, row.target, row.occurrence, row.process_version, row.policy_version, row.raw,
                row.personal_digest,
            )  # fmt: skip
            conn.execute(text("UPDATE case_events SET prev_hash = :p, hash = :h WHERE id = :id"),
                         {"p": before, "h": hashed, "id": row.id})  # fmt: skip
            before = hashed
        conn.execute(text("UPDATE cases SET last_hash = :h WHERE id = :c"), {"h": before, "c": case_id})
        conn.execute(text("ALTER TABLE case_events ENABLE TRIGGER USER"))


def test_an_untouched_record_is_whole_and_every_event_was_looked_at(cast: Cast) -> None:
    complaints(cast)
    cast.go_to(MONDAY + timedelta(days=9))
    sweep_due(cast.env)
    told: list[int] = []
    report = verified(cast, progress=told.append)
    assert report.ok, report.problems
    assert (report.cases, report.events) == (3, cast.scalar("SELECT count(*) FROM case_events"))
    assert cast.scalar("SELECT count(*) FROM event_personal") > 0, "the test must cover personal parts"


HERE = "WHERE case_id = {0} AND seq"
TAMPERINGS: dict[str, tuple[str, str]] = {
    "the actor": (f"UPDATE case_events SET actor = 'staff:99' {HERE} = 2", "changed after"),
    "the instant": (f"UPDATE case_events SET at = at - interval '1 microsecond' {HERE} = 2", "changed after"),
    "a space in the details": (f"UPDATE case_events SET details = (details::text || ' ')::json {HERE} = 1", "changed"),
    "who it was done for": (f"UPDATE case_events SET on_behalf_of = 'staff:1' {HERE} = 3", "changed after"),
    "the digest of the personal part": (f"UPDATE case_events SET personal_digest = NULL {HERE} = 2", "changed after"),
    "the personal part": (f"""UPDATE event_personal SET data = '{{{{"text": "no"}}}}' {HERE} = 2""", "personal part"),
    "an event in the middle, deleted": (f"DELETE FROM case_events {HERE} = 2", "missing from the record"),
    "the first event, deleted": (f"DELETE FROM case_events {HERE} = 1", "event 1"),
    "the last event, deleted": (f"DELETE FROM case_events {HERE} = 4", "missing from the end"),
    "all events, deleted": (f"DELETE FROM case_events {HERE} > 0", "all its events"),
    "two events, put behind the others": (f"UPDATE case_events SET seq = 12 - seq {HERE} IN (2, 3)", "event 2 to 3"),
    "the head of the case": ("UPDATE cases SET last_hash = repeat('0', 64) WHERE id = {0}", "not the one"),
}


@pytest.mark.parametrize("what", TAMPERINGS)
def test_what_the_owner_of_the_database_did_to_the_record_is_found(cast: Cast, what: str) -> None:
    ref = complaints(cast)[1]
    statement, why = TAMPERINGS[what]
    behind_the_guard(cast, statement.format(cast.scalar("SELECT id FROM cases WHERE ref = :r", r=ref)))
    report = verified(cast)
    assert {problem.ref for problem in report.problems} == {ref}
    assert any(why in problem.why for problem in report.problems), report.problems


def test_events_that_changed_places_are_found(cast: Cast) -> None:
    ref = complaints(cast)[0]
    case_id = cast.scalar("SELECT id FROM cases WHERE ref = :r", r=ref)
    swap = "UPDATE case_events SET seq = {0} WHERE seq = {1} AND case_id = {2}"
    behind_the_guard(cast, *(swap.format(to, of, case_id) for to, of in ((9, 2), (2, 3), (3, 9))))
    assert {problem.seq for problem in verified(cast).problems} >= {2, 3}


def test_an_event_moved_to_another_case_is_found_in_both(cast: Cast) -> None:
    first, second, _ = complaints(cast)
    ids = [cast.scalar("SELECT id FROM cases WHERE ref = :r", r=ref) for ref in (first, second)]
    behind_the_guard(cast, f"UPDATE case_events SET case_id = {ids[1]}, seq = 5 WHERE case_id = {ids[0]} AND seq = 4")
    assert {problem.ref for problem in verified(cast).problems} == {first, second}


def test_a_personal_part_may_be_erased_and_the_record_stays_whole(cast: Cast) -> None:
    complaints(cast)
    with transaction(cast.env.engine) as conn:
        conn.execute(text("DELETE FROM event_personal"))
    assert verified(cast).ok


def test_personal_data_slipped_in_where_there_was_none_is_found(cast: Cast) -> None:
    ref = complaints(cast, notes=0)[0]
    commands.assign(cast.env, ref, "bo@muster.example", actor=cast.actor("Mina"))
    with transaction(cast.env.engine) as conn:
        conn.execute(text("INSERT INTO event_personal SELECT id, 2, 'x', '{}' FROM cases WHERE ref = :r"), {"r": ref})
        conn.execute(text("INSERT INTO event_personal SELECT id, 7, 'x', '{}' FROM cases WHERE ref = :r"), {"r": ref})
    assert [problem.seq for problem in verified(cast).problems] == [2, 7]


def test_a_forger_who_computes_every_hash_again_is_betrayed_by_the_seal(cast: Cast) -> None:
    ref = complaints(cast)[1]
    assert nightly.seal(cast.env, now=MONDAY)
    assert not nightly.seal(cast.env, now=MONDAY), "a day has one seal"
    complaints(cast, 2)
    assert verified(cast).ok, "what comes after the seal does not break it"
    forged(cast, cast.scalar("SELECT id FROM cases WHERE ref = :r", r=ref), 2)
    (problem,) = verified(cast).problems
    assert (problem.ref, problem.why) == ("seal 2026-03-02", "what was written by then has been rewritten since")


def test_without_a_seal_the_forger_would_not_be_found(cast: Cast) -> None:
    complaints(cast)
    forged(cast, 1, 2)
    assert verified(cast).ok, "the test of the seal proves nothing when chains alone show it"


def test_a_case_removed_as_a_whole_is_found_by_the_seal(cast: Cast) -> None:
    ref = complaints(cast)[2]
    nightly.seal(cast.env, now=MONDAY)
    nightly.seal(cast.env, now=MONDAY + timedelta(days=1))
    case_id = cast.scalar("SELECT id FROM cases WHERE ref = :r", r=ref)
    tables = ("event_personal", "case_tasks", "case_events")
    behind_the_guard(cast, *(f"DELETE FROM {t} WHERE case_id = {case_id}" for t in tables if cast.scalar(
        f"SELECT count(*) FROM {t} WHERE case_id = {case_id}")), f"DELETE FROM cases WHERE id = {case_id}")  # fmt: skip
    found = verified(cast).problems
    assert [problem.ref for problem in found] == ["seal 2026-03-03", "seal 2026-03-02"]
    assert "then 3 cases with 12 events, of these now 2 with 8" in found[0].why


def test_a_part_of_the_record_is_verified_alone_and_the_parts_are_the_whole(cast: Cast) -> None:
    refs = complaints(cast, 5)
    behind_the_guard(cast, f"DELETE FROM case_events WHERE seq = 2 AND case_id = "
                           f"(SELECT id FROM cases WHERE ref = '{refs[3]}')")  # fmt: skip
    parts = [verified(cast, part=(k, 3)) for k in range(3)]
    assert sum(part.cases for part in parts) == 5
    assert sum(len(part.problems) for part in parts) == len(verified(cast).problems) > 0
    assert sorted(part.ok for part in parts) == [False, True, True]


# --- handing it out


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_an_export_has_every_event_and_nothing_personal_unless_asked(cast: Cast, tmp_path: Path) -> None:
    complaints(cast)
    path = tmp_path / "record.jsonl"
    count = audit.export(cast.env, path, actor=cast.actor("Mina"), now=MONDAY)
    head, *events = lines_of(path)
    assert (head["as_at"], head["personal"]) == (MONDAY.isoformat(), False)
    assert len(events) == count == cast.scalar("SELECT count(*) FROM case_events")
    assert "Wētā" not in path.read_text("utf-8") and "Jo Doe" not in path.read_text("utf-8")
    audit.export(cast.env, path, personal=True, actor=cast.actor("Mina"))
    assert "Wētā" in path.read_text("utf-8")
    assert path.stat().st_mode & 0o077 == 0, "nobody else on the machine may read it"


def test_hashes_can_be_computed_from_the_export(cast: Cast, tmp_path: Path) -> None:
    complaints(cast, 1)
    for fmt in audit.export.__globals__["FORMATS"]:
        path = tmp_path / f"record.{fmt}"
        audit.export(cast.env, path, fmt=fmt, personal=True, actor=cast.actor("Mina"))
    with (tmp_path / "record.csv").open(encoding="utf-8", newline="") as file:
        assert file.readline().startswith("# as at 2026-03-02T09:00:00+00:00, with personal parts")
        rows = list(csv.DictReader(file))
    raw = (tmp_path / "record.jsonl").read_text("utf-8").splitlines()[1:]
    assert len(rows) == len(raw) == 4
    stored = cast.rows("SELECT p.salt, e.* FROM case_events e JOIN event_personal p USING (case_id, seq) ORDER BY seq")
    for row, line, event in zip(rows, raw, stored, strict=True):
        assert f'"details": {row["details"]}' in line, "details are given to the letter"
        hashed = event_hash(
            row["prev_hash"], event.case_id, int(row["seq"]), event.at, row["actor"], row["role"], None, row["kind"],
            row["trigger"], row["source"], row["target"], row["occurrence"], row["process_version"],
            row["policy_version"], row["details"], row["personal_digest"],
        )  # fmt: skip
        assert hashed == row["hash"]
        assert personal_digest(event.salt, row["personal"]) == row["personal_digest"]


def test_bo_exports_the_south_and_no_personal_parts(cast: Cast, tmp_path: Path) -> None:
    complaints(cast, 2)
    bo, path = cast.actor("Bo"), tmp_path / "south.jsonl"
    with transaction(cast.env.engine) as conn:
        conn.execute(text("UPDATE cases SET team = CASE WHEN id = 1 THEN 'North' ELSE 'South' END"))
    assert audit.export(cast.env, path, actor=bo) == 4
    assert {line["case"] for line in lines_of(path)[1:]} == {cast.scalar("SELECT ref FROM cases WHERE id = 2")}
    with pytest.raises(NotAllowed):
        audit.export(cast.env, path, personal=True, actor=bo)
    with pytest.raises(NotAllowed):
        audit.export(cast.env, path, actor=Actor("member:1", "A member", frozenset({Role.MEMBER}), member_id=1))


def test_an_export_that_fails_leaves_what_was_there_before(
    cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    complaints(cast, 1)
    path = tmp_path / "record.jsonl"
    path.write_text("last week's")

    def full(*_: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("cases.exporting.to_json", full)
    with pytest.raises(OSError, match="No space"):
        audit.export(cast.env, path, actor=cast.actor("Mina"))
    assert [p.name for p in tmp_path.iterdir() if p.is_file()] == ["record.jsonl"]
    assert path.read_text() == "last week's"


def test_an_export_into_a_folder_that_is_not_there_is_refused_in_a_sentence(cast: Cast, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be written"):
        audit.export(cast.env, tmp_path / "nowhere" / "record.jsonl", actor=cast.actor("Mina"))
    with pytest.raises(BadInput, match="jsonl or csv"):
        audit.export(cast.env, tmp_path / "record.xml", fmt="xml", actor=cast.actor("Mina"))


def test_an_export_is_logged_without_personal_data(
    cast: Cast, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    complaints(cast, 1)
    with caplog.at_level("INFO"):
        audit.export(cast.env, tmp_path / "r.jsonl", personal=True, actor=cast.actor("Mina"))
    assert [r.getMessage() for r in caplog.records if r.name == "cases.exporting"] == [
        "The record was exported: 4 events, with personal parts."
    ]


# --- rebuilding


def guess(annotation: Any, dice: random.Random, name: str = "") -> Any:
    """Return a value that a form might take; when it does not, the trigger is refused and nothing happens."""
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return dice.choice(args)
    if origin in (Union, UnionType):
        return guess(dice.choice([arg for arg in args if arg is not type(None)]), dice, name)
    if origin in (list, tuple, set, frozenset):
        return [guess(args[0], dice, name)]
    if origin is dict:
        return {guess(args[0], dice, name): guess(args[1], dice, name)}
    if origin is not None and args:
        return guess(args[0], dice, name)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return filled(annotation, dice)
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return dice.choice(list(annotation)).value
    simple: dict[Any, Callable[[], Any]] = {
        bool: lambda: dice.random() < 0.85, int: lambda: dice.randint(1, 5), float: lambda: 0.5,
        date: lambda: (MONDAY.date() + timedelta(days=dice.randint(0, 90))).isoformat(),
    }  # fmt: skip
    return simple.get(annotation, lambda: "2026-02-20" if name.endswith("_on") else f"said {dice.randint(1, 99)}")()


def filled(model: type[BaseModel], dice: random.Random) -> dict[str, Any]:
    return {
        name: guess(info.annotation, dice, name) for name, info in model.model_fields.items()
        if info.is_required() or dice.random() < 0.5
    }  # fmt: skip


def act(cast: Cast, ref: str, dice: random.Random) -> str | None:
    """Have somebody do something to a case, or let time pass; return what moved it."""
    if dice.random() < 0.25:
        cast.go_to(cast.env_now + timedelta(hours=dice.choice((3, 26, 24 * 8, 24 * 40))))
        sweep_due(cast.env)
        return "time"
    actor = cast.actor(dice.choice(PEOPLE))
    page = queries.case_page(cast.env, ref, actor=actor)
    open_to = [choice.transition for choice in page.choices if choice.refused is None]
    if not open_to or dice.random() < 0.1:
        commands.note(cast.env, ref, "thinking", actor=cast.actor("Amara"))
        return "note"
    chosen = dice.choice(open_to)
    for _ in range(6):
        payload = filled(chosen.needs, dice) if chosen.needs else None
        try:
            commands.fire(cast.env, ref, chosen.trigger, payload=payload, actor=actor)
        except CaseError:
            continue
        return chosen.trigger
    return None


def opened(cast: Cast, process: str, dice: random.Random) -> str:
    member = cast.members(f"Member {dice.random()}")[0]
    ref = cast.scalar("SELECT ref FROM members WHERE id = :id", id=member)
    for _ in range(200):
        model = process_named(process).opening
        payload = filled(model, dice) if model else {}
        try:
            return commands.open_one(
                cast.env, process, member=ref, subject="Random", payload=payload, actor=cast.actor("Amara")
            ).after.ref
        except CaseError:
            continue
    raise AssertionError(f"no {process} could be opened")


def picture(row: Any) -> dict[str, Any]:
    return {
        "state": row.state, "on_hold": row.on_hold, "entered_at": row.entered_at, "counts": row.counts,
        "people": row.people, "data": {name: value for name, value in row.data.items() if value is not None},
        "clocks": {name: clock["due"] for name, clock in row.clocks.items()}, "seq": row.last_seq,
    }  # fmt: skip


@pytest.mark.parametrize("process", ["complaint", "monitoring", "cancellation"])
@pytest.mark.parametrize("seed", range(4))
def test_whatever_happened_to_a_case_its_events_rebuild_it_at_every_date(cast: Cast, process: str, seed: int) -> None:
    dice = random.Random(f"{process} {seed}")  # noqa: S311  a story, no secret
    ref = opened(cast, process, dice)
    pictures, done = [], []
    for _ in range(25):
        done.append(act(cast, ref, dice))
        with reading(cast.env.engine) as conn:
            row = conn.execute(select(CaseRow.__table__).where(CaseRow.ref == ref)).one()
        pictures.append((cast.env_now, picture(row)))
        cast.go_to(cast.env_now + timedelta(minutes=5))
    with reading(cast.env.engine) as conn:
        for at, seen in pictures:
            rebuilt = audit.rebuild(conn, row.id, at)
            clocks = (rebuilt.pop("clocks"), seen.pop("clocks"))
            assert {name: rebuilt[name] for name in seen} == seen, done
            assert clocks[0].items() <= clocks[1].items(), done  # one restarted and due as before is told as ended
        assert audit.rebuild(conn, row.id)["seq"] == row.last_seq
        with pytest.raises(CaseNotFound):
            audit.rebuild(conn, row.id, MONDAY - timedelta(seconds=1))
    assert verified(cast).ok
    assert len({name for name in done if name not in ("time", "note", None)}) >= 1, done
