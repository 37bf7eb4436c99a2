"""One's own account: absences, password, browsers, appearance, keys."""

from __future__ import annotations

from datetime import timedelta

from config import clock
from config.database import transaction
from tests.cast import Cast
from tests.pages.conftest import SignedIn
from tests.pages.inspector import Client
from tests.pages.test_sign_in import signed_in_as, try_password
from tests.shell.test_passwords import GOOD, choose, delivered, kept, made, person
from web import sessions
from web.accounts import passwords

NEW = "an even better password"


def absences(cast: Cast) -> list[tuple[str, str, int | None]]:
    rows = cast.rows("SELECT from_date, until_date, deputy_id FROM absences ORDER BY from_date")
    return [(str(row.from_date), str(row.until_date), row.deputy_id) for row in rows]


def test_one_sees_who_one_is_here(desk: SignedIn) -> None:
    page = desk("Amara").get("/account")

    told = dict(zip(page.words(".facts dt"), page.words(".facts dd"), strict=True))
    assert told["Roles"] == "Coordinator" and told["Team"] == "North" and told["Manager"] == "Mina"
    assert told["You stand in today for"] == "nobody"
    assert desk("Sol").get("/account").words(".facts dd")[4] == "Nobody"


def test_an_absence_is_recorded_with_a_deputy_and_ended_again(cast: Cast, desk: SignedIn) -> None:
    amara, bo = desk("Amara"), person(cast, "Bo")

    page = (
        amara.get("/account")
        .form("#absence")
        .send({"from": "2026-03-02", "until": "2026-03-06", "deputy": bo.person, "reason": "holiday"})
    )

    assert "You are away today; Bo acts for you." in page.main
    assert "2 March 2026 to 6 March 2026" in page.main and "holiday; Bo stands in" in page.main
    assert "Amara" in desk("Bo").get("/account").words(".facts dd")[5]
    back = page.form('form[action="/account/absences/end"]').submit()
    assert "No absence is recorded." in back.main
    assert absences(cast) == []


def test_a_coming_absence_can_be_called_off_and_one_that_runs_is_shortened(cast: Cast, desk: SignedIn) -> None:
    amara = desk("Amara")
    form = amara.get("/account").form("#absence")
    form.send({"from": "2026-02-27", "until": "2026-03-06"})
    page = form.send({"from": "2026-04-01", "until": "2026-04-14"})

    for day in ("2026-04-01", "2026-03-02"):
        page.form(f"form[action='/account/absences/end']:has(input[value='{day}'])").submit()

    assert absences(cast) == [("2026-02-27", "2026-03-01", None)]


def test_an_absence_that_cannot_be_is_said_beside_what_was_typed(cast: Cast, desk: SignedIn) -> None:
    form = desk("Amara").get("/account").form("#absence")
    bo = person(cast, "Bo").person

    page = form.send({"from": "2026-03-06", "until": "2026-03-02", "deputy": bo})
    assert page.status == 422
    assert "The last day" in page.main and page.one("#field-until")["value"] == "2026-03-02"
    assert page.one("#field-deputy option[selected]")["value"] == bo
    assert "Give the first and the last day" in form.send({"until": ""}).main
    assert "must be a date" in form.send({"until": "soon"}).main
    assert absences(cast) == []


def test_who_has_no_manager_must_name_a_deputy(desk: SignedIn) -> None:
    page = desk("Sol").get("/account")

    assert page.one("#field-deputy").has_attr("required")
    assert "Name a deputy" in page.form("#absence").send({"until": "2026-03-06", "deputy": ""}).main


def test_deputies_in_a_circle_are_refused_with_their_names(cast: Cast, desk: SignedIn) -> None:
    amara, bo = person(cast, "Amara").person, person(cast, "Bo").person
    desk("Amara").get("/account").form("#absence").send({"until": "2026-03-06", "deputy": bo})

    page = desk("Bo").get("/account").form("#absence").send({"until": "2026-03-06", "deputy": amara})

    assert "Bo → Amara → Bo" in page.main


# ----------------------------------------------------------------------------------------------------- the password


def test_a_password_is_changed_by_who_knows_it_and_other_browsers_are_signed_out(cast: Cast, desk: SignedIn) -> None:
    choose(cast, "Amara")
    here, elsewhere = desk("Amara"), desk("Amara")

    page = here.get("/account").form("#change-password").send({"current_password": GOOD, "new_password": [NEW, NEW]})

    assert "Your password is changed" in page.text
    assert passwords.matches(kept(cast, "Amara"), NEW)
    assert signed_in_as(here) == "Amara" and signed_in_as(elsewhere) is None
    assert [mail.subject for mail in delivered(cast)] == ["Your password was changed"]


def test_a_password_is_not_changed_when_anything_is_wrong(cast: Cast, desk: SignedIn) -> None:
    choose(cast, "Amara")
    form = desk("Amara").get("/account").form("#change-password")

    for current, new, words in (
        ("not it", [NEW, NEW], "current password is not right"),
        (GOOD, [NEW, "other"], "not the same"),
        (GOOD, ["short", "short"], "at least 12"),
    ):
        page = form.send({"current_password": current, "new_password": new})
        assert page.status == 422 and words in page.main
        assert NEW not in page.response.text and GOOD not in page.response.text
    assert passwords.matches(kept(cast, "Amara"), GOOD)


def test_an_open_browser_is_no_place_to_guess_the_password(cast: Cast, desk: SignedIn, visitor: Client) -> None:
    choose(cast, "Amara")
    form = desk("Amara").get("/account").form("#change-password")
    for _ in range(5):
        form.send({"current_password": "guess", "new_password": [NEW, NEW]})

    page = form.send({"current_password": GOOD, "new_password": [NEW, NEW]})

    assert page.status == 429 and "try again in" in page.main
    try_password(visitor, "amara@muster.example", GOOD)
    assert signed_in_as(visitor) == "Amara", "guessing here does not lock the front door"


def test_who_has_no_password_gets_a_link_by_mail(cast: Cast, desk: SignedIn) -> None:
    amara = desk("Amara")
    page = amara.get("/account")
    assert not page.all("#change-password")

    assert "on its way to amara@muster.example" in page.form("#first-password").submit().text

    [mail] = delivered(cast)
    assert "/password/" in mail.text


# --------------------------------------------------------------------------------------------------------- browsers


def test_one_sees_ones_browsers_and_signs_one_of_them_out(cast: Cast, desk: SignedIn) -> None:
    here, elsewhere, bo = desk("Amara"), desk("Amara"), desk("Bo")

    page = here.get("/account")

    assert len(page.all("#browsers li")) == 2
    assert "this browser" in page.main
    form = page.form("#browsers form:not(#everywhere)")
    values = dict(form.values)
    assert "That browser is signed out." in form.submit().text
    assert signed_in_as(elsewhere) is None and signed_in_as(here) == "Amara"
    bos = cast.scalar("SELECT id FROM web_sessions WHERE staff_id = :n", n=person(cast, "Bo").id)
    here.post("/account/sessions/end", {**values, "id": bos})
    assert signed_in_as(bo) == "Bo", "nobody signs somebody else out"


def test_signing_out_everywhere_means_here_too(desk: SignedIn) -> None:
    here, elsewhere = desk("Amara"), desk("Amara")

    page = here.get("/account").form("#everywhere").submit()

    assert page.path == "/sign-in"
    assert signed_in_as(here) is None and signed_in_as(elsewhere) is None


def test_the_appearance_is_kept_on_the_browser(desk: SignedIn) -> None:
    amara = desk("Amara")
    form = amara.get("/account").form("#appearance form")

    assert form.submit("Dark").one("html")["data-bs-theme"] == "dark"
    assert amara.get("/account").one("html")["data-appearance"] == "dark"
    assert form.submit("As this device").one("html")["data-appearance"] == "auto"
    amara.post("/account/appearance", {**dict(form.values), "theme": "pink"})
    assert amara.get("/account").one("html")["data-appearance"] == "auto"


def test_one_sees_the_keys_that_act_as_oneself_and_can_end_them(cast: Cast, desk: SignedIn) -> None:
    token = made(cast)
    made(cast, "Bo")
    page = desk("Amara").get("/account")

    assert page.words("#keys strong") == ["Nightly export"]
    assert "never used" in page.main and token not in page.response.text
    page.form("#keys form").submit()
    assert cast.scalar("SELECT count(*) FROM api_tokens WHERE revoked_at IS NULL") == 1


def test_a_key_of_somebody_else_is_not_ones_own_to_end(cast: Cast, desk: SignedIn) -> None:
    made(cast, "Amara")
    made(cast, "Bo")
    page = desk("Amara").get("/account")
    bos = cast.scalar("SELECT id FROM api_tokens WHERE staff_id = :n", n=person(cast, "Bo").id)

    page.form("#keys form").send({"id": bos})

    assert cast.scalar("SELECT count(*) FROM api_tokens WHERE revoked_at IS NOT NULL") == 0


def test_sessions_of_yesterday_are_not_shown(cast: Cast, desk: SignedIn) -> None:
    amara = person(cast, "Amara").id
    with transaction(cast.env.engine) as conn:
        sessions.start(conn, amara, address="", agent="", now=clock.utc_now() - timedelta(hours=11))

    assert len(desk("Amara").get("/account").all("#browsers li")) == 1
