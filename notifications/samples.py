"""Every message, rendered once with made-up people: the proof that its templates work."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from notifications import catalogue
from notifications.context import CaseText, MailContext, MemberText, Ombudsman, OrganisationText
from notifications.kind import MessageKind, Purpose
from notifications.rendering import Rendered, RenderingFailed, render
from notifications.values import ClockView, Recipient

_DUE = datetime(2026, 4, 13, 16, 0, tzinfo=UTC)
_ORGANISATION = OrganisationText(
    "The Membership Association",
    "The membership team",
    "020 7946 0000",
    Ombudsman("Local Government and Social Care Ombudsman", "www.lgo.org.uk"),
)


def sample_context(kind: MessageKind) -> MailContext:
    """Return the made-up facts a kind is proved with."""
    sample = kind.sample
    staff = kind.purpose is Purpose.INTERNAL
    return MailContext(
        recipient=Recipient("chandra@example.org", "Chandra Rao", "staff" if staff else "member"),
        organisation=_ORGANISATION,
        link="https://muster.example.org/cases/MC-2026-0001",
        why="You receive this because this is an example.",
        case=CaseText(
            ref="MC-2026-0001",
            subject="Example & sons",
            title="Case",
            state="open",
            data=sample.get("case", {}),
            opened_on=datetime(2026, 4, 1, tzinfo=UTC).date(),
            received_on=datetime(2026, 3, 31, tzinfo=UTC).date(),
        ),
        member=MemberText("Wētā FX Limited", "M-000017"),
        payload=sample.get("payload", {}),
        data=sample.get("data", {}),
        clock=ClockView("answer", "Answer", _DUE),
        deadline=_DUE,
        unsubscribe="https://muster.example.org/unsubscribe/x" if kind.purpose is Purpose.MARKETING else None,
    )


def render_samples(names: Iterable[str] | None = None) -> tuple[dict[str, Rendered], dict[str, str]]:
    """Return each kind as rendered with its sample, and the sentence that says why for those that fail."""
    rendered, failed = {}, {}
    for kind in catalogue.kinds():
        if names is not None and kind.kind not in names:
            continue
        try:
            rendered[kind.kind] = render(kind.kind, sample_context(kind))
        except RenderingFailed as error:
            failed[kind.kind] = str(error)
    return rendered, failed
