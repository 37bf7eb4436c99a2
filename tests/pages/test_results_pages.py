"""The results of a campaign on pages: what may be shared, the internal view, the cases behind a figure, the risks."""

from __future__ import annotations

import pytest

from tests.campaign_story import NORTH, SOUTH, Story, launched
from tests.cast import Cast
from tests.pages.conftest import SignedIn


@pytest.fixture
def story(cast: Cast) -> Story:
    """A live campaign to which 16 members have answered."""
    story = launched(cast)
    for number, name in enumerate((*NORTH[:10], *SOUTH[:6])):
        progress = "behind" if number == 2 else "on_track"
        story.answers(name, staff=10 + number, code_progress=progress, contact_current=True)
    return story


def test_results_are_shown_to_share_or_internally_and_lead_to_the_cases_behind_them(
    story: Story, desk: SignedIn
) -> None:
    room = f"/campaigns/{story.ref}/results"
    page = desk("Mina").get(room)
    assert "16 answers" in page.main and "left out" in page.main and "Behind plan" in page.main
    assert not page.all('a[href*="/results/cases"]')
    beside = desk("Mina").get(f"{room}?by=tier")
    assert "Associate" in beside.main and "General" in beside.main
    assert "6 answers" in desk("Mina").get(f"{room}?tier=Associate").main
    desk("Mina").get(f"{room}?tier=Associate&country=SE", status=422)
    assert "may be shared" in desk("Bo").get(room).main
    assert not desk("Bo").get(room).all('a[href$="results.pdf"]')
    _internal(room, desk)


def _internal(room: str, desk: SignedIn) -> None:
    """The internal view leaves nothing out and leads to the cases, for whoever may open them."""
    page = desk("Mina").get(f"{room}?view=internal")
    assert "do not pass this on" in page.main and "Fewer than" not in page.main
    link = page.one('a[href*="answer=behind"]')["href"]
    behind = desk("Mina").get(str(link))
    assert NORTH[2] in behind.main and NORTH[3] not in behind.main and "Behind plan" in behind.main
    assert "No case stands behind" in desk("Bo").get(str(link)).main
    desk("Mina").get(f"{room}/cases?item=no_such_thing", status=422)
    of_bo = desk("Bo").get(f"{room}?view=internal")
    assert "6 answers" in of_bo.main and "16 answers" not in of_bo.main
    assert not [name for name in NORTH if name in desk("Bo").get(f"{room}/cases?item=staff").text]


def test_risks_are_listed_for_whoever_may_see_them_and_silence_is_never_low(story: Story, desk: SignedIn) -> None:
    room = f"/campaigns/{story.ref}/risk"
    page = desk("Mina").get(room)
    assert "came out the same" in page.main and "Not known" in page.main and NORTH[11] in page.main
    assert page.one('a[href$="risk.pdf?view=shared"]')
    of_bo = desk("Bo").get(room)
    assert SOUTH[6] in of_bo.main and not [name for name in NORTH if name in of_bo.text]
    assert not of_bo.all('a[href*="view=shared"]')
    assert NORTH[0] not in desk("Mina").get(f"{room}?team=South").main
    _copies(story, desk)


def _copies(story: Story, desk: SignedIn) -> None:
    """Copies are files, and only those get them who may take them."""
    room = f"/campaigns/{story.ref}"
    mina, bo = desk("Mina").http, desk("Bo").http
    for path, begins in (("results.pdf", b"%PDF"), ("results.xlsx", b"PK"), ("risk.pdf?view=shared", b"%PDF"),
                         ("results.csv?view=internal&team=South", b"\xef\xbb\xbf# Member pulse")):  # fmt: skip
        answer = mina.get(f"{room}/{path}")
        assert (answer.status_code, answer.content[: len(begins)]) == (200, begins), path
        assert "attachment" in answer.headers["content-disposition"]
    assert bo.get(f"{room}/results.pdf").status_code == 403
    assert bo.get(f"{room}/risk.pdf?view=shared").status_code == 403
    named = bo.get(f"{room}/risk.csv").content.decode()
    assert SOUTH[0] in named and not [name for name in NORTH if name in named]
    desk("Mina").get(f"{room}/results.docx", status=404)
    desk("Mina").get(f"{room}/risk.csv?view=shared&team=South", status=422)
