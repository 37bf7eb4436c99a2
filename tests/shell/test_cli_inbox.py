"""`muster inbox`: mail that came in, from the command line."""

from __future__ import annotations

from tests.cast import MONDAY, Cast
from tests.core.incoming_samples import plain
from tests.shell.cli_runner import muster_of

AMARA = ("--as", "amara@muster.example")


def test_mail_is_read_listed_shown_given_to_a_case_and_forgotten(cast: Cast) -> None:
    muster = muster_of(cast)
    assert "There is nothing to read" in muster("inbox", "read", code=1).err
    spool = cast.env.settings.spool
    spool.mkdir()
    (spool / "1.eml").write_bytes(plain("Jo <jo@elsewhere.example>", "A question", "Could we have until Friday?"))
    (spool / "2.eml").write_bytes(plain("News <news@elsewhere.example>", "Sale", "Buy", "List-Id: <n>\n"))
    assert muster("inbox", "read").out.strip() == "2 read, 1 unmatched, 1 ignored"
    [waiting] = muster.json("inbox", "list", *AMARA)["items"]
    assert (waiting["from"], waiting["kind"], waiting["state"]) == ("jo@elsewhere.example", "reply", "unmatched")
    number = str(waiting["id"])
    assert "Could we have until Friday?" in muster("inbox", "show", number).out
    assert "set aside" in muster("inbox", "ignore", number, *AMARA).out
    assert "waits again" in muster("inbox", "ignore", number, "--undo", *AMARA).out

    cast.members("North Pool")
    opened = muster.json("cases", "open", "complaint", "--member", "North Pool", "--set", "category=service",
                         "--subject", "Cold water", *AMARA)  # fmt: skip
    assert muster.json("inbox", "assign", number, opened["ref"], *AMARA)["case"] == opened["ref"]
    assert "it is on a case" in muster("inbox", "assign", number, opened["ref"], *AMARA, code=1).err
    assert "no such kind" in muster("inbox", "list", "--kind", "letter", code=1).err

    assert muster.json("inbox", "forget")["forgotten"] == 0
    cast.go_to(MONDAY.replace(year=MONDAY.year + 1))
    assert muster.json("inbox", "forget")["forgotten"] == 1
    assert muster("inbox", "list", "--state", "all", "--limit", "1").code == 0
    assert muster.json("status")["inbox"]["waiting"] == 0
