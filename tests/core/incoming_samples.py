"""Mail as large providers really send it back, made up by hand: addresses and numbers are nobody's."""

from __future__ import annotations

from email.message import EmailMessage, MIMEPart
from zlib import crc32

OURS = "0123456789abcdef0123456789abcdef"
OUR_ID = f"<{OURS}@muster.example>"
US = "membership@muster.example"
MEMBER = "m7@members.example"
ORIGINAL = (
    f"From: Membership team <{US}>\nTo: {MEMBER}\nSubject: Please answer\nMessage-ID: {OUR_ID}\n"
    "Auto-Submitted: auto-generated\nX-Muster-Case: SR-2026-000017\n"
)


def dsn(
    status: str, diagnostic: str, *, action: str = "failed", sender: str = "MAILER-DAEMON@mx.example",
    subject: str = "Undelivered Mail Returned to Sender", said: str = "Your message could not be delivered.",
    whole: bool = True, recipient: str = MEMBER, report: str = "delivery-status",
) -> bytes:  # fmt: skip
    """A report after RFC 3464."""
    returned = ORIGINAL + ("\nDear member\n" if whole else "")
    kind = "message/rfc822" if whole else "text/rfc822-headers"
    return (
        f"Return-Path: <>\nFrom: Mail Delivery System <{sender}>\nTo: {US}\nSubject: {subject}\n"
        f"Message-ID: <back-{crc32((status + diagnostic + recipient).encode())}@mx.example>\nMIME-Version: 1.0\n"
        f'Content-Type: multipart/report; report-type={report};\n boundary="=_bound"\n\n'
        f"--=_bound\nContent-Type: text/plain; charset=us-ascii\n\n{said}\n\n"
        "--=_bound\nContent-Type: message/delivery-status\n\n"
        "Reporting-MTA: dns; mx.example\nArrival-Date: Mon, 2 Mar 2026 09:00:00 +0000\n\n"
        f"Final-Recipient: rfc822; {recipient}\nAction: {action}\nStatus: {status}\n"
        f"Diagnostic-Code: smtp; {diagnostic}\n\n"
        f"--=_bound\nContent-Type: {kind}\n\n{returned}\n--=_bound--\n"
    ).encode()


def plain(sender: str, subject: str, text: str, headers: str = "") -> bytes:
    """A mail without parts."""
    return (
        f"From: {sender}\nTo: {US}\nSubject: {subject}\nMessage-ID: <x-{len(text)}@elsewhere.example>\n{headers}"
        f"MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{text}\n"
    ).encode()


EXCHANGE = dsn(
    "5.1.10",
    "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient m7@members.example not found by SMTP address lookup",
    sender="MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@members.onmicrosoft.example",
    subject="Undeliverable: Please answer", said="Your message to m7@members.example couldn't be delivered.",
)  # fmt: skip
GMAIL = dsn(
    "5.1.1", "550-5.1.1 The email account that you tried to reach does not exist. Please try double-checking the "
    "recipient's email address for typos. gsmtp", sender="mailer-daemon@googlemail.example",
    subject="Delivery Status Notification (Failure)", said="** Address not found **",
)  # fmt: skip
GMAIL_FULL = dsn(
    "4.2.2", "452 4.2.2 The recipient's inbox is out of storage space. gsmtp", sender="mailer-daemon@googlemail.example"
)
GMAIL_POLICY = dsn("5.7.26", "550 5.7.26 This mail has been blocked because the sender is unauthenticated. gsmtp")
POSTFIX = dsn("5.1.1", "550 5.1.1 <m7@members.example>: Recipient address rejected: User unknown", whole=False)
POSTFIX_DELAY = dsn(
    "4.4.1", "connect to mx.members.example[192.0.2.9]:25: Connection timed out", action="delayed",
    subject="Delayed Mail (still being retried)", said="THIS IS A WARNING ONLY. YOU DO NOT NEED TO RESEND.",
)  # fmt: skip
NO_HOST = dsn("5.4.4", "unable to look up host mail.members.example: Name or service not known")
OUTLOOK = dsn("5.5.0", "550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302).")
OUTLOOK_FULL = dsn("5.2.2", "552 5.2.2 STOREDRV.Deliver; mailbox full", sender="postmaster@outlook.example")
VAGUE_FULL = dsn("5.0.0", "552 m7@members.example mailbox is over quota, try again later")
VAGUE_UNKNOWN = dsn("5.0.0", "550 5.1.1 no such user here")
SES = dsn(
    "5.1.1", "550 5.1.1 user unknown", sender="MAILER-DAEMON@eu-west-1.amazonses.example",
    subject="Delivery Status Notification (Failure)",
    said="An error occurred while trying to deliver the mail to the following recipients:\nm7@members.example",
)  # fmt: skip
SENDMAIL = dsn(
    "5.2.1", "550 5.2.1 m7... mailbox disabled for this recipient", subject="Returned mail: see transcript for details",
    said="----- The following addresses had permanent fatal errors -----\n<m7@members.example>",
)  # fmt: skip
LOTUS = dsn(
    "5.1.1", "User m7 (m7@members.example) not listed in Domino Directory", sender="postmaster@members.example",
    subject="DELIVERY FAILURE: User m7 (m7@members.example) not listed in Domino Directory",
)  # fmt: skip
RELAYED = dsn("2.0.0", "250 ok", action="relayed", subject="Relayed")

EXIM = plain(
    "Mail Delivery System <Mailer-Daemon@host.example>", "Mail delivery failed: returning message to sender",
    "This message was created automatically by mail delivery software.\n\nA message that you sent could not be "
    "delivered to one or more of its\nrecipients. This is a permanent error. The following address(es) failed:\n\n"
    "  m7@members.example\n    host mx.members.example [192.0.2.1]\n    SMTP error from remote mail server after "
    "RCPT TO:<m7@members.example>:\n    550 5.1.1 User unknown\n\n------ This is a copy of the message, including all "
    f"the headers. ------\n\n{ORIGINAL}\nDear member", "X-Failed-Recipients: m7@members.example\n",
)  # fmt: skip
EXIM_DELAY = plain(
    "Mail Delivery System <Mailer-Daemon@host.example>", "Warning: message 1abcDE-0001 delayed 24 hours",
    "This message was created automatically by mail delivery software.\nA message that you sent has not yet been "
    "delivered to one or more of its\nrecipients after more than 24 hours on the queue.\n\nThe address to which the "
    "message has not yet been delivered is:\n\n  m7@members.example\n\nNo action is required on your part. Delivery "
    f"attempts will continue for\nsome time.\n\nMessage identifier: {OUR_ID}",
)  # fmt: skip
QMAIL = plain(
    "MAILER-DAEMON@mx.members.example", "failure notice",
    "Hi. This is the qmail-send program at mx.members.example.\nI'm afraid I wasn't able to deliver your message to "
    "the following addresses.\nThis is a permanent error; I've given up. Sorry it didn't work out.\n\n"
    "<m7@members.example>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n"
    "--- Below this line is a copy of the message.\n\n"
    f"Return-Path: <{US}>\n{ORIGINAL}\nDear member",
)  # fmt: skip
YAHOO = plain(
    "MAILER-DAEMON@yahoo.example", "Failure Notice",
    "Sorry, we were unable to deliver your message to the following address.\n\n<m7@members.example>:\n554: delivery "
    "error: dd This user doesn't have a yahoo.example account (m7@members.example) [0] - mta1.mail.yahoo.example\n\n"
    f"--- Below this line is a copy of the message.\n\n{ORIGINAL}",
)  # fmt: skip
GROUPWARE_FULL = plain(
    "postmaster@members.example", "Unzustellbar: Bitte antworten",
    "Ihre Nachricht konnte nicht zugestellt werden.\nm7@members.example\nDas Postfach des Empfängers ist voll.\n\n"
    + ORIGINAL,
)  # fmt: skip

REPLYING = f"In-Reply-To: {OUR_ID}\nReferences: <first@elsewhere.example> {OUR_ID}\n"
GMAIL_VACATION = plain(
    "Jo Example <m7@members.example>", "Away until Monday Re: Please answer", "I'm hiking. Back on 9 March 2026!",
    REPLYING + "Precedence: bulk\nX-Autoreply: yes\nAuto-Submitted: auto-replied\n",
)  # fmt: skip
EXCHANGE_OOF = plain(
    "Jo Example <m7@members.example>", "Automatic reply: Please answer",
    "I am out of the office until 12/03/2026 with limited access to email.",
    REPLYING + "Auto-Submitted: auto-generated\nX-Auto-Response-Suppress: All\n",
)  # fmt: skip
GERMAN = plain(
    "Jo Beispiel <m7@members.example>", "Abwesenheitsnotiz: Please answer",
    "Sehr geehrte Damen und Herren,\n\nich bin bis zum 14.03.2026 nicht im Büro. Ihre Mail wird nicht weitergeleitet.",
)  # fmt: skip
LEAVER = plain(
    "Jo Example <m7@members.example>", "Automatic reply: Please answer",
    "Jo Example no longer works for Acme. Please write to office@members.example.", "Auto-Submitted: auto-replied\n",
)  # fmt: skip
AWAY_IN_MANY_TONGUES = [
    "Réponse automatique : Please answer", "Respuesta automática: Please answer", "Risposta automatica: Please answer",
    "Automatisch antwoord: Please answer", "Automatyczna odpowiedź: Please answer", "Resposta automática: x",
    "Automatická odpověď: x", "Autosvar: x", "Automatisches x: Abwesend", "Nieobecność: x", "Automaattinen vastaus: x",
]  # fmt: skip
REPLY = plain(
    "Jo Example <m7@members.example>", "Re: Please answer",
    "Sorry, I was out of the office last week.\nCould we have until Friday?\n\nKind regards\nJo\n\n"
    "On Mon, 2 Mar 2026 at 09:00, Membership team <membership@muster.example> wrote:\n> Dear member\n> please answer\n",
    REPLYING,
)  # fmt: skip


def receipt() -> bytes:
    """A receipt after RFC 8098."""
    return (
        f"From: {MEMBER}\nTo: {US}\nSubject: Read: Please answer\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=disposition-notification; boundary="b"\n\n'
        "--b\nContent-Type: text/plain\n\nYour message was read.\n"
        "--b\nContent-Type: message/disposition-notification\n\n"
        f"Final-Recipient: rfc822;{MEMBER}\nOriginal-Message-ID: {OUR_ID}\n"
        "Disposition: manual-action/MDN-sent-manually; displayed\n\n--b--\n"
    ).encode()


def complaint() -> bytes:
    """A complaint after RFC 5965."""
    return (
        "From: feedback@provider.example\nSubject: Complaint\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=feedback-report; boundary="b"\n\n'
        "--b\nContent-Type: text/plain\n\nThis is an abuse report.\n--b\nContent-Type: message/feedback-report\n\n"
        f"Feedback-Type: abuse\nUser-Agent: x/1\nVersion: 1\nOriginal-Rcpt-To: {MEMBER}\n\n"
        f"--b\nContent-Type: message/rfc822\n\n{ORIGINAL}\nDear member\n--b--\n"
    ).encode()


def with_file(name: str, content: bytes) -> bytes:
    """A reply with a file, its words in HTML only."""
    found = EmailMessage()
    found["From"], found["To"], found["Subject"] = "Zoë <zoe@members.example>", US, "Grüße aus Łódź"
    found["In-Reply-To"] = OUR_ID
    found.set_content("<style>p{}</style><p>Hello &amp; <b>thank you</b><script>alert(1)</script></p>", subtype="html")
    found.add_attachment(content, maintype="application", subtype="pdf", filename=name)
    return found.as_bytes()


def nested(levels: int) -> bytes:
    """A mail in a mail in a mail."""
    part: MIMEPart | bytes = b"Subject: innermost\n\nhello\n"
    for level in range(levels):
        part = (
            f'Content-Type: multipart/mixed; boundary="b{level}"\n\n--b{level}\n'.encode()
            + b"Content-Type: message/rfc822\n\n" + bytes(part) + f"\n--b{level}--\n".encode()
        )  # fmt: skip
    return b"From: a@b.example\nSubject: Deep\nMIME-Version: 1.0\n" + bytes(part)
