"""Attacks on what campaigns brought: signing, documents, the inbox, rehearsals, calendar feeds, reports."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import text

from cases.delivering import deliver
from cases.demo import KeepingTransport
from cases.errors import BadInput
from cases.inbox.taking import take
from cases.rehearsing.asked import ask
from cases.rehearsing.tables import DONE
from cases.rehearsing.turns import MOST_KEPT
from cases.rehearsing.values import NOBODY, Wish
from config.database import transaction
from tests.campaign_story import planned
from tests.cast import Cast
from tests.core.incoming_samples import plain
from tests.pages.conftest import SignedIn
from tests.pages.inspector import Client, Page
from tests.signing_story import in_force, link, requested, state

EVIL = b"""# Code <script>alert(1)</script>

[a](javascript:alert(1)) [b](JaVaScRiPt:alert(1)) [c](data:text/html,x) <javascript:alert(1)> [x][x]
<https://evil.example/"onmouseover=alert(1)> [d](https://e.example "\\" onclick=alert(1)") [w](//evil.example)
![x" onerror=alert(1)](x) <img src=x onerror=alert(1)> [t](&#106;avascript:alert(1)) [h](#"onclick=x)

[x]: javascript:alert(1)

```" onclick="alert(1)
code
```

| a | b |
|:-:|--:|
| <b onclick=x>c</b> | d |

## "><svg onload=alert(1)>
"""


def everything(cast: Cast) -> dict[str, str]:
    """A digest of each table."""
    names = [row[0] for row in cast.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    digest = "SELECT md5(coalesce(string_agg(t::text, chr(10) ORDER BY t::text), '')) FROM \"{}\" t"
    return {name: str(cast.scalar(digest.format(name))) for name in names}


def crawled(visitor: Client, *begin: str) -> set[str]:
    """Fetch a personal page and everything that it leads to, as a mail scanner does."""
    seen: set[str] = set()
    waiting = list(begin)
    while waiting:
        address = waiting.pop()
        if address not in seen:
            seen.add(address)
            answer = visitor.http.get(address)
            assert answer.status_code == 200, address
            if answer.headers["content-type"].startswith("text/html"):
                waiting += re.findall(r'(?:href|src|action)="(/m/[^"#]*)"', re.sub("<form.*?>", "", answer.text))
    return seen


def test_a_scanner_that_follows_every_link_signs_nothing_and_an_evil_text_runs_nothing(
    cast: Cast, visitor: Client, desk: SignedIn
) -> None:
    document = in_force(cast, english=EVIL)
    ref = requested(cast, document)
    home = f"/m/{link(cast, ref)}"
    before = everything(cast)
    seen = crawled(visitor, home, f"{home}/not-me", f"{home}/refuse", f"{home}/text/en")
    assert len(seen) > 6 and everything(cast) == before
    for page in (visitor.get(home), visitor.get(f"{home}/reserve"), desk("Amara").get(f"/documents/{document}")):
        article = Page.one(page, "article.document-text")
        assert not article.select("img, script, svg, [onclick], [style], [src]")
        links = {str(a.get("href")) for a in article.select("a")}
        assert links == {"https://evil.example/%22onmouseover=alert(1)", "https://e.example", "#text-onclick-x"}


def test_what_is_signed_is_what_was_shown_and_names_somebody(cast: Cast, visitor: Client) -> None:
    document = in_force(cast)
    ref, other = requested(cast, document), requested(cast, document)
    home, theirs = f"/m/{link(cast, ref)}", f"/m/{link(cast, other)}"
    digests = cast.scalar("SELECT data -> 'document_languages' FROM cases WHERE ref = :ref", ref=ref)
    key = dict(visitor.get(home).form(f'form[action="{home}/read"]').values)["csrf"]
    honest = {"csrf": key, "document_sha256": digests["en"], "language": "en", "name": "Chandra Rao",
              "position": "Director", "legal_name": "Acme Gins", "intent": "yes"}  # fmt: skip

    def sent(deed: str = "sign", to: str = home, **changed: str) -> int:
        answer = visitor.http.post(f"{to}/{deed}", data={**honest, **changed}, follow_redirects=False)
        return int(answer.status_code)

    for forged in ({"document_sha256": digests["cy"]}, {"language": "cy"}, {"language": "\0"},
                   {"document_sha256": "\0"}):  # fmt: skip
        assert sent(**forged) == 409, forged
    for empty in ("\0\0\0", "\u202e\u202e\u202e", "\u200b \u200b", "-- --"):
        assert sent(name=empty) == sent(position=empty) == sent(legal_name=empty) == 422, repr(empty)
    assert sent(name="x" * 5000) == sent(intent="no") == sent("reserve", reservation="\0") == 422
    assert sent(to=theirs) == 403, "a key of another page"
    assert cast.scalar("SELECT count(*) FROM signatures") == 0

    assert sent(name="\u202eChandra  Rao\u200b") == 303
    assert cast.scalar("SELECT signer ->> 'name' FROM signatures") == "Chandra Rao"
    assert visitor.http.get(f"{home}/receipt.pdf").status_code == 200
    assert visitor.http.get(f"{theirs}/receipt.pdf").status_code == 404
    assert sent("refuse", statement="We do not want it.") == 409 and state(cast, ref) == "valid"


def test_a_link_sends_no_mail_to_whom_it_names_and_fills_no_list_of_ours(cast: Cast, visitor: Client) -> None:
    home = f"/m/{link(cast, requested(cast, in_force(cast)))}"
    form = dict(visitor.get(f"{home}/not-me").form(f'form[action="{home}/not-me"]').values)
    for n in range(6):
        named = {"name": f"Victim {n}\r\nBcc: v@evil.example", "email": f"victim{n}@evil.example", "position": "x\r\ny"}
        visitor.http.post(f"{home}/not-me", data={**form, "contact": "other", **named}, follow_redirects=False)
    deliver(cast.env, transport=KeepingTransport({}))
    assert cast.scalar("SELECT count(*) FROM messages WHERE to_email LIKE '%evil%' OR subject LIKE '%Bcc%'") == 0
    assert cast.scalar("SELECT count(*) FROM member_proposals") == 1, "what was refused proposes nothing"


def test_mail_of_another_teams_member_is_not_everybodys_to_sort(cast: Cast, desk: SignedIn) -> None:
    [number] = cast.members("Nordgeheim AG")
    mine = take(cast.env, plain(f"M{number}@members.example", "Stillewasser", "words"), source="test").number
    nobodys = take(cast.env, plain("eve@elsewhere.example", "A question", "words"), source="test").number
    bo, amara = desk("Bo"), desk("Amara")
    assert "Stillewasser" in amara.get("/inbox").main and "Stillewasser" not in bo.get("/inbox").main
    bo.get(f"/inbox/{mine}", status=404)
    assert "A question" in bo.get(f"/inbox/{nobodys}").main
    key = dict(bo.get(f"/inbox/{nobodys}").form("#ignore").values)["csrf"]
    for deed in ("ignore", "restore", "assign"):
        sent = bo.http.post(f"/inbox/{mine}/{deed}", data={"csrf": key, "ref": "CO-2026-000001"})
        assert sent.status_code == 404, deed


def test_rehearsals_of_one_person_run_one_after_the_other_and_the_oldest_are_forgotten(cast: Cast) -> None:
    cast.members("Acme Gins", tier="General")
    story, mina = planned(cast), cast.actor("Mina")

    def begun(**more: Any) -> int:
        return ask(cast.env, story.ref, Wish(NOBODY), run=lambda *rest: None, actor=mina, **more)

    first = begun()
    with pytest.raises(BadInput, match="still runs"):
        begun()
    for _ in range(MOST_KEPT + 2):
        with transaction(cast.env.engine) as conn:
            conn.execute(text("UPDATE rehearsals SET state = :done"), {"done": DONE})
        newest = begun()
    assert cast.scalar("SELECT count(*) FROM rehearsals") == MOST_KEPT
    assert cast.rows("SELECT min(id) > :first, max(id) = :newest FROM rehearsals", first=first, newest=newest) == [
        (True, True)
    ]
