"""When two names mean the same member, what a row says, and what an import would do with it."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from members.cards import Contact, MemberCard
from members.contact_merging import first_contacts, merge_contacts
from members.errors import Unusable, did_you_mean, listed
from members.fields import NewContact, check_mapping, parse_date, parse_email, parse_row
from members.matching import folded, name_key, team_for, website_domain
from members.planning import Known, Plan, Register, plan_import
from members.spreadsheets import Record

TODAY = date(2026, 3, 2)
COLUMNS = (
    "name", "ref", "external_ref", "kind", "status", "website", "joined_on", "left_on", "email", "contact_name",
    "phone", "contact_role", "email_2", "flags", "tier", "language",
)  # fmt: skip


def row(line: int = 2, **values: str):
    cells = {column: values.get(column, "") for column in COLUMNS}
    extra = {column: value for column, value in values.items() if column not in COLUMNS}
    return parse_row(Record(line, {**cells, **extra}), {column: column for column in COLUMNS})


def card(member_id: int = 1, **values) -> MemberCard:
    boring = {
        "ref": f"M-{member_id:06}", "external_ref": None, "kind": "organisation", "name": "Adobe Inc.",
        "status": "active", "tier": None, "category": None, "country": None, "region": None, "site": None,
        "team": None, "website": None, "language": "en", "joined_on": None, "left_on": None,
        "flags": frozenset(), "merged_into": None, "version": 1,
    }  # fmt: skip
    return MemberCard(id=member_id, **{**boring, **values})


def plan(rows, *known: MemberCard, data=None) -> Plan:
    register = Register(Known(each, data or {}) for each in known)
    return plan_import([rows] if not isinstance(rows, list) else rows, register, TODAY)


def contact(contact_id: int, **values) -> Contact:
    boring = {
        "member_id": 1, "position": contact_id, "name": "", "email": None, "phone": None, "role": "other",
        "language": None, "status": "ok", "bounced_at": None, "bounce_reason": None,
    }  # fmt: skip
    return Contact(id=contact_id, **{**boring, **values})


# ---------------------------------------------------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Wētā FX Limited", "WETA FX"),
        ("Amazon Web Services, Inc.", "amazon web services"),
        ("EQUIFAX, INC.", "Equifax"),
        ("Müller GmbH & Co. KG", "Muller"),
        ("Société Générale S.A.", "Societe Generale SA"),
        ("Marks & Spencer plc", "Marks and Spencer"),
        ("Łódź Ørsted", "lodz orsted"),
        ("L'Oréal", "L’Oreal"),
    ],
)
def test_accents_capitals_and_legal_forms_do_not_tell_names_apart(one: str, other: str) -> None:
    assert name_key(one) == name_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("Company Pictures", "Pictures"), ("Limited", "Inc"), ("が", "か"), ("Phoenix North", "Phoenix South")],
)
def test_other_names_stay_apart(one: str, other: str) -> None:
    assert name_key(one) != name_key(other)


def test_a_person_keeps_the_whole_name() -> None:
    assert name_key("Ana Sá", person=True) == "ana sa"


def test_words_of_other_scripts_stay_whole() -> None:
    assert folded("हिन्दी 日本") == "हिन्दी 日本"


@given(st.text())
def test_a_name_that_is_not_blank_always_has_a_key_and_the_key_is_its_own_key(name: str) -> None:
    key = name_key(name)

    assert bool(key) == bool(name.strip())
    assert folded(folded(name)) == folded(name)


@pytest.mark.parametrize(
    ("website", "domain"),
    [
        ("https://www.adobe.com/x", "adobe.com"),
        ("adobe.com", "adobe.com"),
        ("http://[x", None),
        ("", None),
        (None, None),
    ],
)
def test_the_domain_of_a_website(website: str | None, domain: str | None) -> None:
    assert website_domain(website) == domain


def test_a_member_belongs_to_the_first_team_with_a_rule_that_holds_in_full() -> None:
    teams = {"North": [{"region": ["North"], "tier": ["Premier"]}, {"country": "IS"}], "South": [{}]}

    assert team_for(teams, {"region": "north", "tier": "Premier"}) == "North"
    assert team_for(teams, {"region": "North", "tier": None}) is None
    assert team_for(teams, {"country": "IS"}) == "North"


# ---------------------------------------------------------------------------------------------------------- fields


@pytest.mark.parametrize("text", ["ann@example.org", "a.b+c@münchen.example", "o'hara@x-y.co.uk"])
def test_an_address_is_taken(text: str) -> None:
    assert parse_email(text) == ("", text)


@pytest.mark.parametrize(
    "text",
    ["ann", "ann@", "@example.org", "ann@example", "a b@example.org", "a..b@example.org", "ann@-x.org", "a@1.2.3.4",
     "ann@example..org", "x@y@z.org", f"{'a' * 65}@example.org", ""],
)  # fmt: skip
def test_what_is_not_an_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not an e-mail address"):
        parse_email(text)


@pytest.mark.parametrize(
    "text", ["2025-03-31", "2025-03-31 00:00:00", "31.03.2025", "31/03/2025", "31 Mar 2025", "31 March 2025"]
)
def test_a_date_may_be_written_in_several_ways_with_the_day_before_the_month(text: str) -> None:
    assert parse_date(text) == date(2025, 3, 31)


@pytest.mark.parametrize("text", ["03/31/2025", "soon", "2025-02-30", "0001-01-01"])
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a date"):
        parse_date(text)


def test_several_addresses_in_one_cell_become_contacts_in_that_order() -> None:
    found = row(
        name="X", email='Ann <ann@x.example>; "Doe, Bo" <bo@x.example>, ANN@x.example', phone="1", contact_name="Anna"
    ).contacts

    assert found == (NewContact("Anna", "ann@x.example", "1"), NewContact("Doe, Bo", "bo@x.example", None))


def test_a_row_says_everything_that_is_wrong_with_it() -> None:
    errors = row(
        email="nope", joined_on="soon", status="actve", flags="DECEASD", tier="x" * 201, language="English"
    ).errors

    assert errors == (
        '"name" is blank; a member needs a name.',
        'status: "actve" is not known; use prospect, active, suspended, leaving, left and terminated.'
        ' Did you mean "active"?',
        "tier has 201 characters; at most 200 are kept.",
        'language: "English" is not a language code such as en, de or pt-BR.',
        'joined_on: "soon" is not a date; write it like 2025-03-31.',
        'email: "nope" is not an e-mail address.',
        'flags: "DECEASD" is not a flag. Did you mean "DECEASED"?',
    )


def test_nobody_leaves_before_joining() -> None:
    assert row(name="X", joined_on="2025-01-02", left_on="2025-01-01").errors == (
        "left_on 2025-01-01 is before joined_on 2025-01-02.",
    )


def test_line_breaks_do_not_get_into_names() -> None:
    found = row(name="Acme\n Ltd", contact_name="Ann\nBcc: x@y.example", email="a@x.example\nb@x.example")

    assert found.name == "Acme Ltd"
    assert found.contacts[0].name == "Ann Bcc: x@y.example"
    assert [contact.email for contact in found.contacts] == ["a@x.example", "b@x.example"]


def test_a_column_that_is_not_there_is_named_with_what_was_meant() -> None:
    with pytest.raises(Unusable) as refused:
        check_mapping({"name": "Organization"}, ("Organisation", "Website"))

    assert str(refused.value) == (
        'The file has no column "Organization". Did you mean "Organisation"? Its columns are: Organisation, Website.'
    )


def test_a_field_that_members_do_not_have_is_named_with_what_was_meant() -> None:
    with pytest.raises(Unusable, match=r'no field "nmae"\. Did you mean "name"\?'):
        check_mapping({"nmae": "Organisation"}, ("Organisation",))


def test_a_mapping_needs_the_name() -> None:
    with pytest.raises(Unusable, match="Say which column holds the name"):
        check_mapping({"tier": "Tier"}, ("Organisation", "Tier"))


def test_capitals_in_the_name_of_a_column_do_not_matter() -> None:
    assert check_mapping({"name": " organisation"}, ("Organisation",)) == {"name": "Organisation"}


# ------------------------------------------------------------------------------------------------------- planning


def test_a_row_about_nobody_known_is_a_new_member() -> None:
    assert len(plan(row(name="Netflix"), card()).created) == 1


def test_a_row_that_says_nothing_new_changes_nothing() -> None:
    assert plan(row(name="Adobe Inc.", website=""), card(website="https://adobe.com")).unchanged == 1


def test_what_a_row_leaves_blank_stays() -> None:
    (update,) = plan(row(name="ADOBE", tier="Premier"), card(website="https://adobe.com")).updated

    assert update.changes == {"name": "ADOBE", "tier": "Premier"}


def test_columns_nobody_mapped_are_kept_beside_what_was_there() -> None:
    (update,) = plan(row(name="Adobe Inc.", Crunchbase="adobe"), card(), data={"Size": "large"}).updated

    assert update.changes == {"data": {"Size": "large", "Crunchbase": "adobe"}}


def test_flags_are_added_and_never_removed_by_a_file() -> None:
    known = card(flags=frozenset({"DECEASED"}))
    (update,) = plan(row(name="Adobe Inc.", flags="NO_OFFERS"), known).updated

    assert update.changes == {"flags": ["DECEASED", "NO_OFFERS"]}
    assert plan(row(name="Adobe Inc.", flags=""), known).unchanged == 1


def test_the_same_name_twice_in_the_file_is_refused_on_the_later_line() -> None:
    found = plan([row(2, name="Netflix"), row(3, name="NETFLIX, Inc.")])

    assert [(refusal.line, refusal.why) for refusal in found.refused] == [(3, "The same member is already on line 2.")]


def test_the_same_known_member_twice_in_the_file_is_refused_on_the_later_line() -> None:
    found = plan([row(5, name="Adobe"), row(9, name="Adobe", ref="M-000001")], card())

    assert [refusal.line for refusal in found.refused] == [9]


def test_two_members_of_one_name_are_told_apart_by_website() -> None:
    rows = [row(2, name="Phoenix", website="phoenix.org"), row(3, name="Phoenix", website="phoenix.com")]
    known = [card(1, name="Phoenix", website="https://phoenix.com"), card(2, name="Phoenix", website="phoenix.org")]

    assert len(plan(rows).created) == 2
    assert [update.card.id for update in plan(rows, *known).updated] == [1]
    assert plan(rows, *known).unchanged == 1


def test_one_of_two_members_of_one_name_is_not_taken_for_the_other() -> None:
    rows = [row(2, name="Phoenix", website="phoenix.org"), row(3, name="Phoenix", website="phoenix.com")]
    found = plan(rows, card(1, name="Phoenix", website="phoenix.com"))

    assert (len(found.created), found.unchanged, found.refused) == (1, 1, [])


def test_a_name_that_several_members_have_is_refused_with_their_references() -> None:
    found = plan(row(name="Phoenix"), card(1, name="Phoenix"), card(2, name="Phoenix Ltd"))

    assert found.refused[0].why == (
        "2 members are called this: M-000001 Phoenix and M-000002 Phoenix Ltd. Give the reference."
    )
    assert found.mentioned == {1, 2}


def test_an_external_reference_finds_a_member_under_any_name() -> None:
    (update,) = plan(row(name="Adobe Systems", external_ref="A1"), card(external_ref="A1")).updated

    assert update.changes == {"name": "Adobe Systems"}


def test_a_member_without_external_reference_gets_the_one_of_the_row_with_its_name() -> None:
    (update,) = plan(row(name="Adobe", external_ref="A1"), card(name="Adobe")).updated

    assert update.changes == {"external_ref": "A1"}


def test_two_people_of_one_name_with_their_own_references_are_two_members() -> None:
    rows = [row(n, name="John Smith", kind="person", external_ref=f"P{n}") for n in (2, 3)]

    assert len(plan(rows, card(name="John Smith", kind="person", external_ref="P1")).created) == 2


def test_a_reference_of_ours_that_nobody_has_is_refused() -> None:
    assert plan(row(name="X", ref="M-000009")).refused[0].why == "No member has the reference M-000009."


def test_our_reference_in_the_column_of_external_references_finds_the_member() -> None:
    assert plan(row(name="Adobe Inc.", external_ref="m-000001"), card()).unchanged == 1


def test_the_reference_of_another_member_cannot_be_taken_over() -> None:
    found = plan(row(name="X", ref="M-000001", external_ref="B"), card(), card(2, name="Bravo", external_ref="B"))

    assert found.refused[0].why == "B is the reference of Bravo."


def test_a_row_about_a_merged_member_does_not_bring_it_back() -> None:
    found = plan(row(name="Adobe"), card(status="merged", merged_into=2))

    assert found.refused[0].why == "M-000001 Adobe Inc. was merged into another member."


def test_a_date_of_leaving_in_the_past_makes_a_member_leave() -> None:
    (update,) = plan(row(name="Adobe Inc.", left_on="2026-03-02"), card()).updated

    assert update.changes == {"status": "left", "left_on": TODAY}
    assert update.leaves


def test_a_date_of_leaving_in_the_future_announces_it() -> None:
    (update,) = plan(row(name="Adobe Inc.", left_on="2026-12-31"), card()).updated

    assert update.changes == {"status": "leaving", "left_on": date(2026, 12, 31)}
    assert not update.leaves


def test_who_comes_back_has_no_date_of_leaving() -> None:
    (update,) = plan(row(name="Adobe Inc.", status="Active"), card(status="left", left_on=TODAY)).updated

    assert update.changes == {"status": "active", "left_on": None}


def test_a_file_does_not_lift_a_suspension() -> None:
    found = plan(row(name="Adobe Inc.", status="active"), card(status="suspended"))

    assert found.refused[0].why == "M-000001 is suspended by a decision; a file cannot make it active."


def test_who_was_terminated_stays_terminated_when_the_file_says_left() -> None:
    assert plan(row(name="Adobe Inc.", status="left"), card(status="terminated")).unchanged == 1


def test_refused_rows_still_mention_their_member() -> None:
    found = plan(row(name="Adobe", email="nope"), card())

    assert found.mentioned == {1}
    assert not found.nameless


# ------------------------------------------------------------------------------------------------------- contacts


def test_new_contacts_of_the_file_come_first_and_nobody_is_removed() -> None:
    present = [contact(1, email="old@x.example", role="primary")]
    changes = merge_contacts([NewContact("Ann", "ann@x.example", None)], present)

    assert [(c["email"], c["position"], c["role"]) for c in changes.added] == [("ann@x.example", 1, "other")]
    assert [(c["id"], c["position"]) for c in changes.changed] == [(1, 2)]


def test_a_file_may_say_who_signs_and_says_nothing_of_the_others() -> None:
    found = row(name="X", email="ann@x.example", contact_role="Signatory", email_2="bo@x.example").contacts
    assert [c["role"] for c in first_contacts(found)] == ["signatory", "deputy"]

    present = [contact(1, email="ann@x.example", role="primary"), contact(2, email="bo@x.example", role="payer")]
    assert [(c["id"], c["role"]) for c in merge_contacts(found, present).changed] == [(1, "signatory")]
    [wrong] = row(name="X", email="ann@x.example", contact_role="boss").errors
    assert "contact_role" in wrong and "signatory" in wrong


def test_a_contact_that_is_there_is_recognised_whatever_the_capitals() -> None:
    present = [contact(1, email="ann@x.example", name="Ann", phone="1")]

    assert not merge_contacts([NewContact("", "ANN@X.example", None)], present)


def test_a_telephone_number_without_an_address_does_not_make_a_second_contact() -> None:
    assert not merge_contacts([NewContact("", None, "1")], [contact(1, email="ann@x.example", phone="1")])


def test_positions_that_somebody_numbered_otherwise_stay() -> None:
    present = [contact(1, email="a@x.example", position=10), contact(2, email="b@x.example", position=20)]

    assert not merge_contacts([NewContact("", "a@x.example", None)], present)


# ------------------------------------------------------------------------------------------------------ sentences


def test_lists_are_shortened() -> None:
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert listed([str(n) for n in range(12)], limit=2) == "0, 1 and 10 more"


def test_nothing_is_suggested_when_nothing_is_near() -> None:
    assert did_you_mean("zzz", ["name", "tier"]) == ""
