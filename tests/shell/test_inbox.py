"""Mail that comes in: whose it is, what follows of it, and that it never moves a case by itself."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta
from time import sleep
from typing import Any

import pytest
from pydantic import SecretStr

from cases import commands
from cases.answers import member_actor
from cases.delivering import deliver
from cases.environment import Environment
from cases.errors import CaseNotFound, NotAllowed
from cases.inbox import lists, sorting
from cases.inbox.reading import read_inbox
from cases.inbox.returned import retry_due
from cases.inbox.sample import sample_mail
from cases.inbox.sorting import MailDone, MailNotFound
from cases.inbox.taking import Taken, take
from cases.locking import lock_ref
from config.database import transaction
from members import store as member_store
from notifications.inbox.imap import MailboxGone, opened
from notifications.transport import Mail
from state_machines.values import SYSTEM
from tests.campaign_story import Story, launched
from tests.cast import Cast
from tests.core.incoming_samples import OUR_ID, complaint, dsn, plain
from tests.shell.imap_server import Letter, serving

REPLIES = "replies@muster.example"


@dataclass
class Post:
    """Takes every mail and remembers it."""

    sent: list[Mail] = field(default_factory=list)

    def send(self, mail: Mail) -> None:
        self.sent.append(mail)

    def close(self) -> None:
        """Nothing to end."""


@dataclass
class Office:
    """A campaign among two members whose mail comes back."""

    cast: Cast
    story: Story
    post: Post = field(default_factory=Post)

    @property
    def env(self) -> Environment:
        return self.cast.env

    def take(self, raw: bytes) -> Taken:
        return take(self.env, raw, source="test")

    def deliver(self) -> list[Mail]:
        """Deliver, and return what was sent now."""
        before = len(self.post.sent)
        deliver(self.env, transport=self.post)
        return self.post.sent[before:]

    def row(self, sql: str, **values: Any) -> Any:
        return self.cast.rows(sql, **values)[0]

    def contact(self, email: str) -> str:
        return str(self.cast.scalar("SELECT status FROM contacts WHERE email = :email", email=email))

    def events(self, ref: str) -> list[str]:
        """The kinds of the events of a case since it was opened."""
        rows = self.cast.rows(
            "SELECT kind FROM case_events e JOIN cases c ON c.id = e.case_id WHERE c.ref = :ref ORDER BY seq", ref=ref
        )
        return [row.kind for row in rows][1:]

    def tasks(self, ref: str) -> list[str]:
        rows = self.cast.rows(
            "SELECT kind FROM case_tasks t JOIN cases c ON c.id = t.case_id WHERE c.ref = :ref AND t.closed_at IS NULL",
            ref=ref,
        )
        return sorted(row.kind for row in rows)

    def state(self, ref: str) -> tuple[Any, ...]:
        return tuple(self.row("SELECT state, clocks, due_at FROM cases WHERE ref = :ref", ref=ref))


@pytest.fixture
def office(cast: Cast) -> Office:
    """A launched campaign whose invitations have left, with a reply address."""
    settings = cast.env.settings.model_copy(update={"reply_address": REPLIES})
    cast = Cast(replace(cast.env, settings=settings))
    [first, _] = cast.members("Åkerlund", "Brûlé")
    with transaction(cast.env.engine) as conn:
        given = {"member_id": first, "position": 2, "name": "Dee", "email": "deputy@members.example", "role": "deputy"}
        member_store.insert_contacts(conn, [given])
    story = launched(cast)  # its first mail leaves before we look
    return Office(cast, story)


def sent_to(office: Office, ref: str, kind: str = "survey_invitation") -> Any:
    """The newest message of a kind about a case, as the outbox has it."""
    return office.row(
        "SELECT m.* FROM messages m JOIN cases c ON c.id = m.case_id WHERE c.ref = :ref AND m.kind = :kind "
        "AND m.state = 'sent' ORDER BY m.id DESC LIMIT 1", ref=ref, kind=kind,
    )  # fmt: skip


def back(message: Any, status: str = "5.1.1", said: str = "550 5.1.1 no such user", **more: Any) -> bytes:
    """What a mail server writes when a message of ours does not arrive."""
    raw = dsn(status, said, recipient=message.to_email, **more)
    return raw.replace(b"<0123456789abcdef0123456789abcdef@muster.example>", message.message_id.encode())


def reply(message: Any, text: str, *, sender: str | None = None, headers: str = "") -> bytes:
    """What somebody answers to a message of ours."""
    return plain(f"Jo <{sender or message.to_email}>", "Re: it", text, f"In-Reply-To: {message.message_id}\n{headers}")


def test_what_comes_back_goes_to_the_next_contact_once_and_then_to_a_person(office: Office) -> None:
    ref = office.story.response("Åkerlund")
    invitation = sent_to(office, ref)
    assert office.take(back(invitation)).ref == ref
    assert office.contact(invitation.to_email) == "bounced"
    assert office.tasks(ref) == ["contact_repair"]
    office.take(back(invitation, said="550 5.1.1 once more, from another server"))
    assert office.take(back(invitation)).again
    sent = [mail for mail in office.deliver() if mail.to_email == "deputy@members.example"]
    assert [mail.case_ref for mail in sent] == [ref]
    assert office.state(ref)[0] == "invited"

    second = sent_to(office, ref)
    office.take(back(second, "5.4.4", "no such host"))
    assert office.contact("deputy@members.example") == "bounced"
    assert office.state(ref)[0] == "bounced"
    assert office.cast.scalar("SELECT count(*) FROM messages WHERE key LIKE '%~next:%'") == 1
    office.take(back(second, "5.4.4", "no such host at all"))
    assert office.state(ref)[0] == "bounced"


def test_a_full_mailbox_is_tried_again_after_two_days_and_then_a_person_is_asked(office: Office) -> None:
    ref = office.story.response("Brûlé")
    invitation = sent_to(office, ref)
    office.take(back(invitation, "5.2.2", "552 5.2.2 mailbox full"))
    before = office.state(ref)
    assert office.contact(invitation.to_email) == "ok"
    assert retry_due(office.env) == 0
    office.cast.go_to(office.cast.env_now + timedelta(days=2, minutes=1))
    assert (retry_due(office.env), retry_due(office.env)) == (1, 0)
    again = [mail for mail in office.deliver() if mail.case_ref == ref]
    assert [(mail.to_email, mail.message_id != invitation.message_id) for mail in again] == [
        (invitation.to_email, True)
    ]
    assert (office.tasks(ref), office.state(ref)) == ([], before)

    office.take(back(sent_to(office, ref), "4.2.2", "452 4.2.2 inbox is full"))
    assert office.tasks(ref) == ["contact_repair"]
    assert office.cast.scalar("SELECT count(*) FROM inbox_messages WHERE retry_at IS NOT NULL") == 0
    assert office.contact(invitation.to_email) == "ok"


def test_a_second_try_never_goes_to_somebody_who_has_said_meanwhile_that_it_is_not_them(office: Office) -> None:
    ref = office.story.response("Brûlé")
    invitation = sent_to(office, ref)
    office.take(back(invitation, "5.2.2", "552 5.2.2 mailbox full"))
    member = office.cast.scalar("SELECT member_id FROM cases WHERE ref = :ref", ref=ref)
    contact = office.cast.scalar("SELECT id FROM contacts WHERE email = :email", email=invitation.to_email)
    commands.fire(office.env, ref, "not_me", payload={"contact": contact}, actor=member_actor(member))
    office.deliver()

    office.cast.go_to(office.cast.env_now + timedelta(days=2, minutes=1))
    retry_due(office.env)

    assert invitation.to_email not in [mail.to_email for mail in office.deliver()]


def test_delays_refusals_receipts_and_automatic_replies_are_noted_and_change_nothing(office: Office) -> None:
    ref = office.story.response("Brûlé")
    invitation, before = sent_to(office, ref), office.state(ref)
    mails = office.cast.scalar("SELECT count(*) FROM messages")
    for raw in (
        back(invitation, "4.4.1", "timed out", action="delayed"),
        back(invitation, "5.7.26", "550 5.7.26 unauthenticated"),
        back(invitation, "2.0.0", "ok", action="delivered"),
        reply(invitation, "I am away until Monday.", headers="Auto-Submitted: auto-replied\n"),
    ):
        taken = office.take(raw)
        assert (taken.ref, taken.state) == (ref, "matched")
    assert office.events(ref)[-3:] == ["mail_received"] * 3  # that it was delivered is not worth a line
    assert office.state(ref) == before
    assert office.contact(invitation.to_email) == "ok"
    assert office.tasks(ref) == []
    assert office.cast.scalar("SELECT count(*) FROM messages") == mails
    office.take(reply(invitation, "Jo no longer works here.", headers="Auto-Submitted: auto-replied\n"))
    office.take(reply(invitation, "Jo has left the company.", headers="Auto-Submitted: auto-replied\n"))
    assert office.tasks(ref) == ["contact_left"]
    office.take(complaint().replace(OUR_ID.encode(), invitation.message_id.encode()))
    office.take(reply(invitation, "Unsubscribe me please", headers="X-A: b\n").replace(b"Re: it", b"unsubscribe"))
    assert office.tasks(ref) == ["contact_left", "mail_complaint", "mail_stop"]
    assert office.state(ref) == before
    assert office.contact(invitation.to_email) == "ok"


def test_a_reply_reaches_the_owner_and_is_no_answer_whoever_is_at_work_on_the_case(office: Office) -> None:
    ref = office.story.response("Brûlé")
    invitation, before = sent_to(office, ref), office.state(ref)
    with ThreadPoolExecutor(1) as pool, transaction(office.env.engine) as conn:
        assert lock_ref(conn, ref) is not None  # somebody is saving something at this very moment
        waits = pool.submit(office.take, reply(invitation, "Could we have until Friday?"))
        sleep(0.3)
        assert not waits.done()
        conn.commit()
        assert waits.result().ref == ref
    assert office.state(ref) == before
    [notice] = [mail for mail in office.deliver() if "answered a message" in mail.text]
    assert notice.to_email == "amara@muster.example"
    assert "Could we have until Friday?" in notice.text
    assert "make sure who wrote" not in notice.text
    found = office.row("SELECT details, personal FROM (SELECT e.details, p.data AS personal, e.kind FROM case_events e "
                       "JOIN event_personal p USING (case_id, seq)) x WHERE kind = 'mail_received'")  # fmt: skip
    assert found.details["counts"] is False
    assert "Friday" not in str(found.details)
    assert found.personal["text"] == "Could we have until Friday?"

    office.take(reply(invitation, "It is me, really", sender="stranger@elsewhere.example"))
    [notice] = [mail for mail in office.deliver() if "answered a message" in mail.text]
    assert "make sure who wrote" in notice.text


def test_the_tag_of_the_reply_address_is_enough_and_a_made_up_one_is_not(office: Office) -> None:
    ref = office.story.response("Brûlé")
    commands.fire(office.env, ref, "nudge", actor=office.cast.actor("Amara"), now=office.cast.go_to(
        office.cast.env_now + timedelta(days=1)))  # fmt: skip
    [mail] = [mail for mail in office.deliver() if mail.case_ref == ref]
    assert mail.reply_to is not None
    assert mail.reply_to.startswith("replies+")
    tagged = plain("Jo <jo@elsewhere.example>", "Hello", "hi", f"Delivered-To: {mail.reply_to}\n")
    assert office.take(tagged).ref == ref
    forged = mail.reply_to.replace("+", "+aaaaa")
    assert office.take(plain("Jo <jo@elsewhere.example>", "Hi", "ho", f"Delivered-To: {forged}\n")).state == "unmatched"


def test_loops_end_by_themselves(office: Office) -> None:
    ref = office.story.response("Brûlé")
    invitation = sent_to(office, ref)
    most = office.env.policy.mail.incoming_per_sender_per_day
    states = [office.take(reply(invitation, f"Thank you for number {n}")).state for n in range(most + 3)]
    assert states == ["matched"] * most + ["kept"] * 3
    assert office.events(ref)[-2:] == ["mail_received", "mail_held_back"]
    ours = plain(f"Us <{REPLIES}>", "Re: it", "hello", f"In-Reply-To: {invitation.message_id}\n")
    assert office.take(ours).state == "ignored"
    assert len(office.deliver()) == most


def test_a_legal_notice_that_comes_back_is_served_by_post(office: Office) -> None:
    ref = office.story.response("Brûlé")
    invitation = sent_to(office, ref)
    with transaction(office.env.engine) as conn:
        conn.exec_driver_sql("UPDATE messages SET purpose = 'legal' WHERE id = %s", (invitation.id,))
    office.take(back(invitation))
    office.take(back(invitation, said="550 5.1.1 said by another server"))
    assert office.tasks(ref) == ["contact_repair", "serve_by_post"]
    found = office.row("SELECT due_at, data FROM case_tasks WHERE kind = 'serve_by_post'")
    assert (found.due_at.date() - office.cast.env_now.date()).days == 2
    assert found.data == {"message": invitation.id}


def test_a_colleagues_address_that_does_not_work_is_for_a_person(office: Office) -> None:
    ref = office.story.response("Brûlé")
    office.take(reply(sent_to(office, ref), "A question"))
    office.deliver()
    notice = sent_to(office, ref, "case_reply")
    assert office.take(back(notice)).state == "kept"
    away = reply(notice, "I am out of the office.", headers="Auto-Submitted: auto-replied\n")
    assert office.take(away).state == "ignored"
    assert office.tasks(ref) == []


def test_mail_that_nothing_proves_waits_for_a_person(office: Office) -> None:
    ref = office.story.response("Brûlé")
    invitation = sent_to(office, ref)
    amara, bo, sol = (office.cast.actor(name) for name in ("Amara", "Bo", "Sol"))
    named = plain(f"Jo <{invitation.to_email}>", f"About {ref}", "A question")
    taken = office.take(named)
    assert taken.ref == ref  # a contact who names the case
    named_number = taken.number
    stranger = office.take(plain("Eve <eve@elsewhere.example>", f"About {ref}", "Another question"))
    by_address = office.take(
        dsn("5.1.1", "gone", recipient=invitation.to_email).replace(b"0123456789abcdef", b"f" * 16)
    )
    assert (stranger.state, by_address.state) == ("unmatched", "unmatched")
    assert office.contact(invitation.to_email) == "ok"  # anybody could have written that
    seen = lists.listed(office.env, viewer=amara)
    assert [(mail.id, mail.perhaps) for mail in seen] == [(by_address.number, ref), (stranger.number, ref)]
    assert lists.listed(office.env, viewer=bo) == []  # it may be about a case of the North
    assert stranger.number is not None
    with pytest.raises(MailNotFound):
        lists.one(office.env, stranger.number, viewer=bo)

    with pytest.raises(CaseNotFound):
        sorting.assign(office.env, stranger.number, "CO-2026-999999", actor=amara)
    with pytest.raises(NotAllowed):
        sorting.ignore(office.env, stranger.number, actor=office.cast.actor("Cara"))
    sorting.ignore(office.env, stranger.number, actor=amara)
    assert lists.counted(office.env, viewer=amara)["waiting"] == 1
    sorting.restore(office.env, stranger.number, actor=amara)
    assert sorting.assign(office.env, stranger.number, ref.lower(), actor=amara) == ref
    with pytest.raises(MailDone):
        sorting.assign(office.env, stranger.number, ref, actor=sol)
    mine = lists.one(office.env, stranger.number, viewer=amara)
    assert (mine.case, mine.by, mine.matched_by) == (ref, "Amara", "hand")
    with pytest.raises(NotAllowed):
        lists.raw(office.env, stranger.number, viewer=amara)
    assert b"Another question" in lists.raw(office.env, stranger.number, viewer=office.cast.actor("Ada"))
    nobody = plain("News <news@shop.example>", "Sale!", "Buy", "List-Id: <news>\n")
    assert office.take(nobody).state == "ignored"

    other = office.story.response("Åkerlund")
    assert sorting.assign(office.env, stranger.number, other, actor=amara) == other  # it was on the wrong one
    assert lists.one(office.env, stranger.number, viewer=amara).case == other
    with pytest.raises(MailDone):  # what Muster itself has proved stays where it is
        sorting.assign(office.env, named_number, other, actor=amara)


def test_a_huge_mail_lies_in_a_file_and_the_same_words_by_another_way_are_set_aside(office: Office) -> None:
    large = plain("Jo <jo@elsewhere.example>", "Large", "x" * 700_000)
    taken = office.take(large)
    assert taken.number is not None
    assert office.cast.scalar("SELECT raw IS NULL FROM inbox_messages WHERE id = :id", id=taken.number)
    assert lists.raw(office.env, taken.number, viewer=SYSTEM) == large
    assert office.take(b"Received: by another way\n" + large).state == "ignored"
    assert office.take(b"").state == "kept"


def test_two_readers_of_one_folder_take_each_mail_once(cast: Cast) -> None:
    spool = cast.env.settings.spool
    (spool / "new").mkdir(parents=True)
    for number in range(12):
        where = spool / "new" / f"1.{number}" if number % 2 else spool / f"{number}.eml"
        where.write_bytes(plain(f"Jo <jo{number}@elsewhere.example>", f"Mail {number}", "hello"))
    (spool / "trap.eml").symlink_to("/etc/passwd")
    with ThreadPoolExecutor(2) as pool:
        reports = [done.result() for done in [pool.submit(read_inbox, cast.env) for _ in range(2)]]
    assert sum(report.to_dict()["read"] for report in reports) == 12
    assert cast.scalar("SELECT count(*) FROM inbox_messages") == 12
    assert len(list((spool / "done").iterdir())) == 12
    assert read_inbox(cast.env).to_dict()["read"] == 0
    assert cast.scalar("SELECT read_at IS NOT NULL FROM inbox_sources WHERE name = 'spool'")


def test_a_mail_that_we_fail_on_is_in_nobodys_way(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = cast.env.settings.spool
    spool.mkdir(parents=True)
    (spool / "1.eml").write_bytes(plain("Jo <jo@elsewhere.example>", "Poison", "hello"))
    monkeypatch.setattr("cases.inbox.taking.match", lambda *_: 1 / 0)
    assert read_inbox(cast.env).to_dict()["kept"] == 1
    assert cast.scalar("SELECT why FROM inbox_messages") == "Taking it in failed (ZeroDivisionError)."


def test_a_mailbox_is_read_from_where_it_was_left(cast: Cast, caplog: pytest.LogCaptureFixture) -> None:
    letters = [Letter(5, plain("Jo <jo@elsewhere.example>", "Five", "seen long ago"), seen=True)]
    letters += [Letter(n, plain("Jo <jo@elsewhere.example>", f"Mail {n}", "hello")) for n in (6, 7)]
    with serving(letters, validity=1) as server:
        url = f"imap://jo%40b.example:s%20cret@127.0.0.1:{server.port}"
        env = replace(cast.env, settings=cast.env.settings.model_copy(update={"imap_url": SecretStr(url)}))
        assert read_inbox(env).to_dict()["read"] == 2
        assert [letter.seen for letter in letters] == [True, True, True]
        letters.append(Letter(9, plain("Jo <jo@elsewhere.example>", "Nine", "read by a colleague"), seen=True))
        assert read_inbox(env).to_dict()["read"] == 1
        assert read_inbox(env).to_dict()["read"] == 0
        server.validity = 2
        letters[1].seen = False
        report = read_inbox(env).to_dict()
        assert (report["read"], report["again"]) == (0, 1)
        wrong = env.settings.imap
        assert wrong is not None
        with pytest.raises(MailboxGone, match="does not let"), opened(wrong._replace(password=SecretStr("no"))):
            pass
        with pytest.raises(MailboxGone, match="no folder"), opened(wrong._replace(folder="Nowhere")):
            pass
    gone = read_inbox(env)
    assert gone.stopped is not None
    assert gone.stopped.startswith("The mailbox cannot be read: 127.0.0.1 does not answer")
    assert "s cret" not in caplog.text + repr(env.settings) + gone.stopped
    assert cast.scalar("SELECT error FROM inbox_sources WHERE name LIKE 'imap%'") == gone.stopped


def test_the_mail_of_the_demo_is_taken_for_what_it_is(office: Office) -> None:
    taken = [office.take(raw) for raw in sample_mail(office.env)]
    assert [(mail.kind.value, mail.state) for mail in taken] == [
        ("reply", "matched"), ("automatic", "matched"), ("reply", "unmatched"),
    ]  # fmt: skip
