"""What happens next, as plain values for programs."""

from __future__ import annotations

from typing import Any

from cases.explaining.foretold import Beside, Coming, Decision, Duty, Mail, Next


def coming_values(found: Coming) -> dict[str, Any]:
    """Return what happens next as plain values; instants stay instants, in UTC."""
    return {
        "ref": found.ref, "state": found.state_title, "as_at": found.now, "ends": found.ends, "ending": found.ending,
        "items": [_next(each) for each in found.items], "waiting": [_mail(mail) for mail in found.waiting],
        "assumed": list(found.assumed),
    }  # fmt: skip


_NEXT = (
    "at", "kind", "by", "clock", "rung", "trigger", "title", "target", "target_title", "final", "why", "cause", "owner",
    "acting", "rhythm",
)  # fmt: skip


def _next(each: Next) -> dict[str, Any]:
    named = {{"target": "state", "target_title": "state_title"}.get(name, name): getattr(each, name) for name in _NEXT}
    return named | {
        "messages": [_mail(mail) for mail in each.mails], "tasks": [_duty(task) for task in each.tasks],
        "beside": [_beside(beside) for beside in each.beside],
        "decisions": [_decision(decision) for decision in each.decisions],
    }  # fmt: skip


def _mail(mail: Mail) -> dict[str, Any]:
    to = {"name": mail.to.name, "email": mail.to.email, "instead_of": mail.to.instead_of} if mail.to else None
    return {"kind": mail.kind, "title": mail.title, "audience": mail.audience, "outcome": mail.state.replace(" ", "_"),
            "at": mail.at, "to": to, "why": mail.why}  # fmt: skip


def _duty(task: Duty) -> dict[str, Any]:
    return {"kind": task.kind, "title": task.title, "role": task.role, "due": task.due, "who": task.who}


def _beside(beside: Beside) -> dict[str, Any]:
    what = beside.what.replace(" ", "_")
    return {"what": what, "process": beside.process, "subject": beside.subject, "where": beside.where}


def _decision(decision: Decision) -> dict[str, Any]:
    return {"role": decision.role, "titles": list(decision.titles), "people": list(decision.people),
            "more": decision.more}  # fmt: skip
