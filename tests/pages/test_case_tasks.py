"""The tasks of a case on its page: done with a button, where no step of the process settles them."""

from __future__ import annotations

from tests.cast import Cast
from tests.open_tasks import with_tasks
from tests.pages.case_cast import a_complaint
from tests.pages.conftest import SignedIn


def test_a_task_is_done_with_a_button_and_stays_in_the_history_with_its_note(desk: SignedIn, cast: Cast) -> None:
    ref = a_complaint(cast)
    number = with_tasks(cast, ref, "serve_by_post")[-1]
    page = desk("Amara").get(f"/cases/{ref}")
    form = page.form(f'form[action="/cases/{ref}/tasks/{number}/done"]')

    after = form.submit(note="Posted, <b>Zoë</b> has it")

    assert after.path == f"/cases/{ref}" and after.words(".alert-success") == ["Task done: Task serve_by_post."]
    assert "Task serve_by_post: Posted, <b>Zoë</b> has it" in after.one("#history").text
    assert "Done (1)" in after.one("#tasks").text
    assert form.submit().words(".alert-success") == ["This task was done already."]


def test_a_note_without_end_closes_nothing_and_is_told_on_the_page(desk: SignedIn, cast: Cast) -> None:
    ref = a_complaint(cast)
    number = with_tasks(cast, ref, "serve_by_post")[-1]
    form = desk("Amara").get(f"/cases/{ref}").form(f'form[action="/cases/{ref}/tasks/{number}/done"]')

    refused = form.send({"note": "x" * 20_001})

    assert refused.status == 422 and "The note is longer" in refused.main
    assert cast.scalar("SELECT count(*) FROM case_tasks WHERE closed_at IS NOT NULL") == 0
