"""Members from files: what is taken, what is refused on which line, and what is held."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from sqlalchemy import event, func, select, update

from config.database import Engine, reading, transaction
from members import store
from members.commands import merge_members, save_contact, set_team, update_member
from members.errors import Ambiguous, Changed, NotFound, Unusable
from members.import_report import ImportReport
from members.importing import import_members
from members.spreadsheets import Record, Table, read_table
from members.tables import ChangeLog, Contact, Member
from state_machines.values import Actor, Role

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MINA = Actor("staff:1", "Mina", frozenset({Role.MANAGER}))
ASWF = {
    "name": "Organisation",
    "tier": "Membership tier",
    "website": "Website",
    "email": "Contact e-mail (made up)",
}


def bring_in(engine: Engine, path: Path, mapping: dict[str, str] | None = None, **options: Any) -> ImportReport:
    given = {"leaving_share": 0.1, "leaving_count": 5, "actor": MINA, "now": NOW, **options}
    return import_members(engine, path, mapping or {"name": "name"}, **given)


def a_file(folder: Path, *lines: str, encoding: str = "utf-8", name: str = "members.csv") -> Path:
    path = folder / name
    path.write_bytes("\n".join(lines).encode(encoding))
    return path


def a_workbook(folder: Path, rows: Sequence[Sequence[object]]) -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    path = folder / "members.xlsx"
    book.save(path)
    return path


def read(path: Path) -> tuple[Table, list[Record]]:
    table = read_table(path)
    return table, list(table.records)


def members(engine: Engine) -> dict[str, Any]:
    with reading(engine) as conn:
        return {row.name: row for row in conn.execute(select(Member).order_by(Member.id))}


def count(engine: Engine, table: type) -> int:
    with reading(engine) as conn:
        return conn.execute(select(func.count()).select_from(table)).scalar_one()


def contacts(engine: Engine, name: str) -> list[tuple[int, str | None, str, str]]:
    with reading(engine) as conn:
        found = store.find_by_ref(conn, name)
        return [(c.position, c.email, c.name, c.role) for c in store.contacts_of(conn, [found.id])[found.id]]


def twenty(folder: Path, *, left: int = 0, name: str = "twenty.csv") -> Path:
    rows = [f"Member {n:02},{'left' if n < left else 'active'}" for n in range(20)]
    return a_file(folder, "name,status", *rows, name=name)


# --------------------------------------------------------------------------------------------------- real registers


def test_a_published_register_is_taken_whole(engine: Engine, shared_data: Path) -> None:
    report = bring_in(engine, shared_data / "members-aswf.csv", ASWF)

    assert report.to_dict() == {"created": 45, "updated": 0, "unchanged": 0, "refused": []}
    weta = members(engine)["Wētā FX Limited"]
    assert (weta.name_key, weta.status, weta.kind, weta.version) == ("weta fx", "active", "organisation", 1)
    assert weta.data["Crunchbase"].startswith("https://www.crunchbase.com/")
    assert members(engine)["CIQ"].data == {}
    assert contacts(engine, "weta fx") == [(1, "membership@weta-fx-limited.example", "", "primary")]


def test_the_same_file_again_changes_nothing(engine: Engine, shared_data: Path) -> None:
    bring_in(engine, shared_data / "members-aswf.csv", ASWF)
    logged = count(engine, ChangeLog)

    report = bring_in(engine, shared_data / "members-aswf.csv", ASWF)

    assert report.to_dict() == {"created": 0, "updated": 0, "unchanged": 45, "refused": []}
    assert (count(engine, Member), count(engine, Contact), count(engine, ChangeLog)) == (45, 45, logged)


def test_a_workbook_with_the_same_rows_is_the_same_register(engine: Engine, shared_data: Path, tmp_path: Path) -> None:
    table, rows = read(shared_data / "members-aswf.csv")
    twin = a_workbook(tmp_path, [table.columns, *([*row.values.values()] for row in rows)])
    bring_in(engine, shared_data / "members-aswf.csv", ASWF)

    assert bring_in(engine, twin, ASWF).unchanged == 45


def test_the_row_that_is_cut_off_is_refused_by_its_line_and_the_others_are_read(shared_data: Path) -> None:
    table, rows = read(shared_data / "complaints-cfpb.csv")
    physical_lines = (shared_data / "complaints-cfpb.csv").read_bytes().count(b"\n") + 1

    assert len(rows) == 2067
    assert len(table.columns) == 18
    assert [refusal.line for refusal in table.broken] == [physical_lines]
    assert "cut off" in table.broken[0].why


# ------------------------------------------------------------------------------------------------------ reading files


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252", "utf-16-le"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_usual_encodings_and_delimiters_are_recognised(tmp_path: Path, encoding: str, delimiter: str) -> None:
    path = a_file(tmp_path, f"name{delimiter}tier", f"Société Générale{delimiter}Ünïque", encoding=encoding)

    _, rows = read(path)

    assert rows == [Record(2, {"name": "Société Générale", "tier": "Ünïque"})]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_a_row_is_known_by_the_physical_line_it_begins_on(tmp_path: Path, ending: str) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(ending.join(["", "name,note", f'A,"one{ending}two"', "", "B,x", ",", "C,y"]).encode())

    _, rows = read(path)

    assert [(row.line, row.values["name"]) for row in rows] == [(3, "A"), (6, "B"), (8, "C")]


def test_a_broken_row_costs_only_itself(tmp_path: Path) -> None:
    path = a_file(
        tmp_path, "name,note", '"Unclosed,1', "B,2", '"C, Inc.",3', "D", "E,5,6", "F,7", 'G,"cut off', name="x.csv"
    )

    table, rows = read(path)

    assert [row.values["name"] for row in rows] == ["B", "C, Inc.", "F"]
    assert [(refusal.line, refusal.why) for refusal in table.broken] == [
        (2, 'A quotation mark stands inside a value; write it twice ("") or remove it.'),
        (5, "The row ends after 1 of 2 columns; it looks cut off."),
        (6, "The row has 3 values for 2 columns; is a quotation mark missing?"),
        (8, "A quotation mark opens in this row and never closes; the row looks cut off."),
    ]


def test_a_file_cut_in_the_middle_of_a_letter_is_still_read_as_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes("name,tier\nWētā,A\nB,ē".encode()[:-1])

    _, rows = read(path)

    assert [row.values["name"] for row in rows] == ["Wētā", "B"]


def test_columns_without_or_with_the_same_name_can_be_told_apart(tmp_path: Path) -> None:
    table, _ = read(a_file(tmp_path, "name,,E-mail,E-mail,,", "a,b,c,d,,"))

    assert table.columns == ("name", "column 2", "E-mail", "E-mail (2)")


def test_cells_of_a_workbook_read_as_a_person_reads_them(tmp_path: Path) -> None:
    cells = [1042.0, 7, 2.5, datetime(2025, 3, 31), date(2025, 3, 31), True, None, " x "]  # noqa: DTZ001
    path = a_workbook(tmp_path, [[f"c{n}" for n in range(8)], cells, [], ["short"]])

    _, rows = read(path)

    assert list(rows[0].values.values()) == ["1042", "7", "2.5", "2025-03-31", "2025-03-31", "yes", "", "x"]
    assert (rows[1].line, rows[1].values["c0"], rows[1].values["c7"]) == (4, "short", "")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"\xd0\xcf\x11\xe0rest", "old Excel format"),
        (b"PK\x03\x04rest", "cannot be read as an XLSX file"),
        (b"\0\1\2\3", "neither a CSV nor an XLSX"),
        (b"name\n\x81", "neither UTF-8 nor Windows-1252"),
    ],
)
def test_a_file_that_is_no_table_is_refused_with_a_sentence(tmp_path: Path, content: bytes, sentence: str) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(content)

    with pytest.raises(Unusable, match=sentence):
        read(path)


def test_a_file_that_is_not_there_is_refused_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="cannot be read: No such file"):
        read_table(tmp_path / "nothing.csv")


# ---------------------------------------------------------------------------------------------------------- importing


def test_a_file_from_an_old_windows_program_keeps_its_accents(engine: Engine, tmp_path: Path) -> None:
    bring_in(engine, a_file(tmp_path, "name;tier", "Crédit Münster “A”;x", encoding="cp1252"))

    assert list(members(engine)) == ["Crédit Münster “A”"]


def test_bad_rows_are_refused_by_line_and_the_good_ones_taken(engine: Engine, tmp_path: Path) -> None:
    path = a_file(
        tmp_path, "name,email,joined_on", "A,a@a.example,2025-01-01", "B,nope,", ",b@b.example,", "A,,", "C,,soon", "D"
    )

    report = bring_in(engine, path, {"name": "name", "email": "email", "joined_on": "joined_on"})

    assert report.to_dict() == {
        "created": 1,
        "updated": 0,
        "unchanged": 0,
        "refused": [
            {"line": 3, "why": 'email: "nope" is not an e-mail address.'},
            {"line": 4, "why": '"name" is blank; a member needs a name.'},
            {"line": 5, "why": "The same member is already on line 2."},
            {"line": 6, "why": 'joined_on: "soon" is not a date; write it like 2025-03-31.'},
            {"line": 7, "why": "The row ends after 1 of 3 columns; it looks cut off."},
        ],
    }


def test_what_changed_is_written_and_logged_with_before_and_after(engine: Engine, tmp_path: Path) -> None:
    mapping = {"name": "name", "tier": "tier", "email": "email"}
    bring_in(engine, a_file(tmp_path, "name,tier,email", "A,General,a@a.example", "B,General,"), mapping)

    again = a_file(tmp_path, "name,tier,email", "A,Premier,new@a.example;a@a.example", "B,,")
    report = bring_in(engine, again, mapping)

    assert (report.updated, report.unchanged) == (1, 1)
    assert (members(engine)["A"].tier, members(engine)["A"].version) == ("Premier", 2)
    assert members(engine)["B"].tier == "General"
    assert contacts(engine, "A") == [(1, "new@a.example", "", "other"), (2, "a@a.example", "", "primary")]
    with reading(engine) as conn:
        rows = conn.execute(select(ChangeLog).order_by(ChangeLog.id)).all()
    assert [(row.changes, row.actor, row.source) for row in rows][2] == (
        {"tier": ["General", "Premier"]},
        "staff:1",
        "import",
    )
    assert rows[3].changes["contacts"]["added"] == ["new@a.example"]
    assert bring_in(engine, again, mapping).unchanged == 2


def test_a_dry_run_writes_nothing_and_reports_the_same(engine: Engine, tmp_path: Path) -> None:
    mapping = {"name": "name", "tier": "tier"}
    bring_in(engine, a_file(tmp_path, "name,tier", "A,1", "B,1"), mapping)
    path = a_file(tmp_path, "name,tier", "A,2", "B,1", "C,1", "C,1")

    rehearsed = bring_in(engine, path, mapping, dry_run=True)

    assert list(members(engine)) == ["A", "B"]
    assert rehearsed == bring_in(engine, path, mapping)
    assert (rehearsed.created, rehearsed.updated, rehearsed.unchanged, len(rehearsed.refused)) == (1, 1, 1, 1)


def test_an_import_that_makes_too_many_leave_is_held(engine: Engine, tmp_path: Path) -> None:
    mapping = {"name": "name", "status": "status"}
    bring_in(engine, twenty(tmp_path), mapping)

    report = bring_in(engine, twenty(tmp_path, left=6), mapping)

    assert report.held is not None
    assert report.held.why == "6 of 20 active members would leave."
    assert "--allow-leavers" in report.held.how
    assert report.held.leavers[0] == "M-000001 Member 00"
    assert report.to_dict()["held"]["leavers"][5] == "M-000006 Member 05"
    assert {row.status for row in members(engine).values()} == {"active"}
    assert bring_in(engine, twenty(tmp_path, left=6), mapping, dry_run=True) == report
    assert bring_in(engine, twenty(tmp_path, left=6), mapping, allow_leavers=True).updated == 6
    assert members(engine)["Member 00"].left_on == NOW.date()


def test_a_few_may_leave_without_ado(engine: Engine, tmp_path: Path) -> None:
    mapping = {"name": "name", "status": "status"}
    bring_in(engine, twenty(tmp_path), mapping)

    assert bring_in(engine, twenty(tmp_path, left=5), mapping).updated == 5


def test_who_is_missing_from_a_full_list_leaves(engine: Engine, tmp_path: Path) -> None:
    mapping = {"name": "name", "email": "email"}
    bring_in(engine, a_file(tmp_path, "name,email", "A,", "B,", "C,"), mapping)
    path = a_file(tmp_path, "name,email", "A,", "B,nope")

    assert bring_in(engine, path, mapping).unchanged == 1
    assert members(engine)["C"].status == "active"
    report = bring_in(engine, path, mapping, missing_means_left=True)

    assert (report.updated, report.unchanged, len(report.refused)) == (1, 1, 1)
    assert {name: row.status for name, row in members(engine).items()} == {"A": "active", "B": "active", "C": "left"}


def test_a_full_list_that_lacks_many_is_held(engine: Engine, tmp_path: Path) -> None:
    bring_in(engine, twenty(tmp_path))

    report = bring_in(engine, a_file(tmp_path, "name", "Member 01"), missing_means_left=True)

    assert report.held is not None
    assert len(report.held.leavers) == 19


def test_a_full_list_with_a_line_that_cannot_be_read_is_held(engine: Engine, tmp_path: Path) -> None:
    bring_in(engine, a_file(tmp_path, "name,tier", "A,", "B,"))

    report = bring_in(engine, a_file(tmp_path, "name,tier", "A,", "B"), missing_means_left=True)

    assert report.held is not None
    assert "cannot be read on line 3" in report.held.why
    assert members(engine)["B"].status == "active"


def test_two_imports_at_once_make_nobody_twice(engine: Engine, tmp_path: Path) -> None:
    path = a_file(tmp_path, "name,ref", *(f"Member {n},X{n}" for n in range(300)))
    together = threading.Barrier(2)

    def one(_: int) -> ImportReport:
        together.wait()
        return bring_in(engine, path, {"name": "name"})

    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(one, range(2)))

    assert sorted((report.created, report.unchanged) for report in reports) == [(0, 300), (300, 0)]
    assert count(engine, Member) == 300


def test_ten_thousand_rows_take_a_handful_of_statements(engine: Engine, tmp_path: Path) -> None:
    lines = [f"Member {n},m{n}@x.example,{n}" for n in range(10_000)]
    path = a_file(tmp_path, "name,email,number", *lines)
    mapping = {"name": "name", "email": "email", "external_ref": "number"}
    statements: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    told: list[tuple[int, int]] = []

    report = bring_in(engine, path, mapping, progress=lambda done, total: told.append((done, total)))

    assert report.created == 10_000
    assert len(statements) < 60
    assert told[0] == (1000, 10_000)
    assert told[-1] == (10_000, 10_000)
    statements.clear()
    assert bring_in(engine, path, mapping).unchanged == 10_000
    assert len(statements) < 40


def test_a_mistake_in_the_mapping_writes_nothing(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(Unusable, match='Did you mean "name"'):
        bring_in(engine, a_file(tmp_path, "name", "A"), {"name": "nmae"})

    assert count(engine, Member) == 0


def test_new_members_join_the_team_that_covers_them(engine: Engine, tmp_path: Path) -> None:
    mapping = {"name": "name", "region": "region"}
    bring_in(engine, a_file(tmp_path, "name,region", "A,North"), mapping)
    assert set_team(engine, "North", [{"region": ["North"]}], actor=MINA, now=NOW) == 1

    bring_in(engine, a_file(tmp_path, "name,region", "B,north", "C,South"), mapping)

    assert {name: row.team for name, row in members(engine).items()} == {"A": "North", "B": "North", "C": None}


# ------------------------------------------------------------------------------------------------------- finding


@pytest.fixture
def register(engine: Engine, tmp_path: Path) -> Engine:
    path = a_file(
        tmp_path, "name,no,tier,email",
        "Wētā FX Limited,W1,Premier,a@weta.example", "Phoenix,P1,General,", "Phoenix,P2,General,",
        "Adobe Inc.,,Premier,",
    )  # fmt: skip
    bring_in(engine, path, {"name": "name", "external_ref": "no", "tier": "tier", "email": "email"})
    return engine


@pytest.mark.parametrize("text", ["M-000001", "m-000001", "W1", "Wētā FX Limited", "weta fx", " W1 "])
def test_a_member_is_found_by_reference_or_name(register: Engine, text: str) -> None:
    with reading(register) as conn:
        assert store.find_by_ref(conn, text).name == "Wētā FX Limited"


def test_a_name_of_several_members_is_refused_with_the_list(register: Engine) -> None:
    with reading(register) as conn, pytest.raises(Ambiguous) as refused:
        store.find_by_ref(conn, "phoenix")

    assert str(refused.value) == (
        '"phoenix" may be 2 members: M-000002 Phoenix and M-000003 Phoenix. Give the reference.'
    )


def test_many_are_looked_up_at_once_and_each_has_an_answer(register: Engine) -> None:
    with reading(register) as conn:
        found = store.find_by_refs(conn, ["ADOBE, INC.", "P2", "Phoenix", "Nobody"])

    assert {text: card.ref for text, card in found.members.items()} == {
        "ADOBE, INC.": "M-000004",
        "P2": "M-000003",
    }
    assert found.refused["Nobody"] == 'No member has the reference or name "Nobody".'
    assert found.refused["Phoenix"].startswith('"Phoenix" may be 2 members')


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("weta", ["Wētā FX Limited"]),
        ("fx wet", ["Wētā FX Limited"]),
        ("a@weta", ["Wētā FX Limited"]),
        ("m-000004", ["Adobe Inc."]),
        ("W1", ["Wētā FX Limited"]),
        ("", ["Adobe Inc.", "Phoenix", "Phoenix", "Wētā FX Limited"]),
        ("100%_'\\ :* & !", []),
        ("' | x", []),
    ],
)
def test_members_are_searched_by_the_beginnings_of_words(register: Engine, text: str, names: list[str]) -> None:
    with reading(register) as conn:
        rows, total = store.search(conn, text)

    assert [row.name for row in rows] == names
    assert total == len(names)


def test_a_search_has_pages_and_can_be_kept_to_teams(register: Engine) -> None:
    with reading(register) as conn:
        rows, total = store.search(conn, "phoenix", limit=1, offset=1)
        assert ([row.ref for row in rows], total) == (["M-000003"], 2)
        assert store.search(conn, "phoenix", teams=["North"]) == ([], 0)


def test_a_population_is_narrowed_by_each_criterion(register: Engine) -> None:
    with reading(register) as conn:
        assert len(store.population(conn, {})) == 4
        assert [card.name for card in store.population(conn, {"tier": "Premier"})] == ["Wētā FX Limited", "Adobe Inc."]
        assert len(store.population(conn, {"tier": ["Premier", "General"], "status": ["active"]})) == 4
        assert store.population(conn, {"tier": []}) == []
        with pytest.raises(Unusable, match=r'not chosen by "teir".*Did you mean "tier"'):
            store.population(conn, {"teir": "Premier"})


# ------------------------------------------------------------------------------------------------------- changing


def test_changes_are_applied_in_sets_and_logged(register: Engine) -> None:
    changes = [
        (1, {"status": "suspended", "add_flags": ["NO_OFFERS"]}),
        (1, {"left_on": "2026-03-31", "status": "terminated"}),
        (2, {"status": "active"}),
    ]
    with transaction(register) as conn:
        assert store.apply_changes(conn, changes, actor=MINA, now=NOW) == 1

    with reading(register) as conn:
        card = store.member_card(conn, [1])[1]
        log = conn.execute(select(ChangeLog.changes).order_by(ChangeLog.id.desc()).limit(1)).scalar_one()
    assert (card.status, card.flags, card.left_on) == ("terminated", {"NO_OFFERS"}, date(2026, 3, 31))
    assert card.version == 2
    assert log == {
        "status": ["active", "terminated"],
        "flags": [[], ["NO_OFFERS"]],
        "left_on": [None, "2026-03-31"],
    }


def test_who_is_gone_has_a_date_of_leaving_and_who_is_back_has_none(register: Engine) -> None:
    with transaction(register) as conn:
        store.apply_changes(conn, [(1, {"status": "left"}), (2, {"status": "suspended"})], actor=MINA, now=NOW)
        cards = store.member_card(conn, [1, 2])
        assert (cards[1].left_on, cards[2].left_on) == (NOW.date(), None)

        store.apply_changes(conn, [(1, {"status": "active"})], actor=MINA, now=NOW)
        assert store.member_card(conn, [1])[1].left_on is None


def test_a_change_meant_for_a_merged_member_reaches_the_one_it_became(register: Engine) -> None:
    merge_members(register, "P1", "P2", actor=MINA, now=NOW)

    with transaction(register) as conn:
        assert store.apply_changes(conn, [(3, {"status": "suspended"})], actor=MINA, now=NOW) == 1
        cards = store.member_card(conn, [2, 3])

    assert (cards[2].status, cards[3].status) == ("suspended", "merged")


def test_a_column_that_members_do_not_have_is_a_mistake_of_the_caller(register: Engine) -> None:
    with pytest.raises(ValueError, match="no column colour"), transaction(register) as conn:
        store.apply_changes(conn, [(1, {"colour": "red"})], actor=MINA, now=NOW)


def test_an_address_that_bounces_is_marked_once(register: Engine) -> None:
    with transaction(register) as conn:
        first = store.mark_bounced(conn, {"A@Weta.example": "5.1.1"}, now=NOW)
        assert store.mark_bounced(conn, {"a@weta.example": "5.1.1"}, now=NOW) == []
        contact = store.contacts_of(conn, [1, 2])[1][0]

    assert [each.id for each in first] == [contact.id]
    assert (contact.status, contact.bounced_at, contact.bounce_reason) == ("bounced", NOW, "5.1.1")
    assert not contact.reachable


def test_who_is_no_longer_with_the_member_is_not_reachable(register: Engine) -> None:
    with transaction(register) as conn:
        (contact,) = store.contacts_of(conn, [1])[1]
        store.contacts_left(conn, [contact.id])
        assert store.contacts_by_email(conn, ["a@WETA.example"])["a@weta.example"][0].status == "left"


def test_a_member_is_changed_by_hand(register: Engine) -> None:
    card = update_member(register, "W1", {"tier": "General", "website": "", "joined_on": "1 May 2020"}, seen_version=1,
                         actor=MINA, now=NOW)  # fmt: skip

    assert (card.tier, card.website, card.joined_on, card.version) == ("General", None, date(2020, 5, 1), 2)
    with pytest.raises(Changed, match="changed by someone else"):
        update_member(register, "W1", {"tier": "X"}, seen_version=1, actor=MINA, now=NOW)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"teir": "x"}, 'Did you mean "tier"'),
        ({"name": " "}, "needs a name"),
        ({"joined_on": "soon"}, "not a date"),
        ({"status": "terminated"}, "only a decision in a case"),
        ({"external_ref": "P1"}, "already the reference of M-000002 Phoenix"),
    ],
)
def test_a_change_that_cannot_be_is_refused(register: Engine, changes: dict[str, str], sentence: str) -> None:
    with pytest.raises(Unusable, match=sentence):
        update_member(register, "W1", changes, actor=MINA, now=NOW)


def test_a_contact_is_repaired(register: Engine) -> None:
    with transaction(register) as conn:
        (bounced,) = store.mark_bounced(conn, {"a@weta.example": "5.1.1"}, now=NOW)

    (contact,) = save_contact(register, "W1", {"email": "b@weta.example"}, contact_id=bounced.id, actor=MINA, now=NOW)
    both = save_contact(register, "W1", {"name": "Ann", "role": "deputy"}, actor=MINA, now=NOW)

    assert (contact.email, contact.status, contact.bounced_at) == ("b@weta.example", "ok", None)
    assert [(each.position, each.name, each.email) for each in both] == [(1, "", "b@weta.example"), (2, "Ann", None)]
    with pytest.raises(Unusable, match="already has a contact with the address"):
        save_contact(register, "W1", {"email": "B@weta.example"}, actor=MINA, now=NOW)
    with pytest.raises(NotFound, match="no such contact"):
        save_contact(register, "P1", {"email": "x@y.example"}, contact_id=bounced.id, actor=MINA, now=NOW)


def test_two_entries_for_one_member_become_one_and_both_references_find_it(register: Engine) -> None:
    save_contact(register, "P2", {"email": "p@p.example"}, actor=MINA, now=NOW)
    with transaction(register) as conn:
        conn.execute(update(Member).where(Member.external_ref == "P2").values(flags=["DECEASED"], site="Leeds"))

    card = merge_members(register, "P1", "P2", actor=MINA, now=NOW)

    assert (card.ref, card.flags, card.site) == ("M-000002", {"DECEASED"}, "Leeds")
    with reading(register) as conn:
        assert store.find_by_ref(conn, "P2").ref == "M-000002"
        assert store.find_by_ref(conn, "M-000003").ref == "M-000002"
        assert store.find_by_ref(conn, "Phoenix").ref == "M-000002"
        assert [c.email for c in store.contacts_of(conn, [2])[2]] == ["p@p.example"]
        assert len(store.population(conn, {})) == 3
        assert store.search(conn, "phoenix")[1] == 1
    with pytest.raises(Unusable, match="are the same member"):
        merge_members(register, "P1", "P2", actor=MINA, now=NOW)


def test_a_merged_members_number_goes_where_there_is_none(register: Engine) -> None:
    assert merge_members(register, "Adobe", "P1", actor=MINA, now=NOW).external_ref == "P1"
