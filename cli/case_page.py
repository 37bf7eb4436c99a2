"""One case, as text for people and as values for programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from cases.breaker.reading import HeldSince
from cases.people import whom
from cases.queries import CasePage
from cli.output import local, span
from state_machines.objections import title_of
from state_machines.registry import process_named


def as_values(page: CasePage, names: Mapping[str, str], held: HeldSince | None, now: datetime) -> dict[str, Any]:
    """Return everything of a case page as plain values; `names` are those of the staff, by ``staff:<id>``."""
    return {
        **page.line,
        "version": page.case.version, "data": dict(page.case.data), "acting_owner": page.owner_acting,
        "held_since": held.at.isoformat() if held else None,
        "clocks": [_clock(page, name, now) for name in page.case.clocks],
        "events": [{**event, "by": _by(event, names)} for event in page.events],
        "messages": page.messages, "tasks": page.tasks, "links": page.links,
        "evidence": page.evidence,
        "may": [
            {"trigger": c.transition.trigger, "title": c.transition.title, "allowed": c.refused is None,
             "why_not": c.refused.sentence if c.refused else None,
             "form": _form(c.transition.needs)}
            for c in page.choices
        ],
        "next": [
            {"at": e.at.isoformat(), "clock": e.clock, "rung": e.rung, "trigger": e.trigger, "kind": e.kind,
             "state": e.target, "messages": [{"kind": k, "audience": a} for k, a in e.messages],
             "tasks": list(e.tasks)}
            for e in page.next
        ],
    }  # fmt: skip


def _by(event: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """Who did it, and for whom, as people say it."""
    actor, other = event["actor"], event["on_behalf_of"]
    by = names.get(actor, "Muster" if actor.startswith("system:") else actor)
    return f"{by} for {names.get(other, other)}" if other else by


def _form(model: Any) -> list[dict[str, Any]]:
    if model is None:
        return []
    return [
        {"field": name, "required": info.is_required(), "help": info.description or ""}
        for name, info in model.model_fields.items()
    ]


def _clock(page: CasePage, name: str, now: datetime) -> dict[str, Any]:
    running = page.case.clocks[name]
    clock = process_named(page.case.process).clock_of(page.case.state, name)
    return {
        "name": name, "title": clock.title if clock else name, "due": running.due.isoformat(),
        "seconds_left": int((running.due - now).total_seconds()), "paused": running.paused,
        "next": running.next_at.isoformat() if running.next_at else None, "fired": list(running.fired),
        "extensions": len(running.extensions), "started": running.anchor.isoformat(),
    }  # fmt: skip


def as_text(
    page: CasePage, names: Mapping[str, str], held: HeldSince | None, now: datetime, zone: ZoneInfo
) -> str:  # fmt: skip
    """Return a case page as a person reads it at a terminal."""
    return "\n".join(_lines(page, names, held, now, zone))


def _lines(
    page: CasePage, names: Mapping[str, str], held: HeldSince | None, now: datetime, zone: ZoneInfo
) -> Iterator[str]:  # fmt: skip
    line, process = page.line, process_named(page.case.process)
    yield f"{line['ref']}  {process.title}: {line['subject']}"
    ended = (line["outcome"] or "").replace("_", " ")
    outcome = f" ({ended})" if ended and ended != line["state_title"].lower() else ""
    yield f"State    {line['state_title']}{outcome}"
    acting = f"; {page.owner_acting} acts while they are away" if page.owner_acting else ""
    yield f"Owner    {line['owner_name'] or 'nobody'} ({line['owner_role'].replace('_', ' ')}){acting}"
    if line["member"]:
        yield f"Member   {line['member_ref']} {line['member']}"
    if line["parked"]:
        yield f"Parked   {page.row.parked_why}"
    if held:
        yield f"Held     since {local(held.at, zone)}, until a manager decides: muster holds show {held.number}"
    for name in page.case.clocks:
        clock = _clock(page, name, now)
        yield f"Clock    {clock['title']}: {_time_left(clock, zone)}"
    for title, lines in (
        ("Tasks", _tasks(page, zone)), ("Linked", _links(page)),
        ("What happened", _events(page, names, zone)), ("Messages", _messages(page, zone)), ("You may", _choices(page)),
        ("If nobody acts", _next(page, zone)),
    ):  # fmt: skip
        found = list(lines)
        if found:
            yield ""
            yield title
            yield from (f"   {each}" for each in found)


def _time_left(clock: dict[str, Any], zone: ZoneInfo) -> str:
    due = local(datetime.fromisoformat(clock["due"]), zone)
    if clock["paused"]:
        return f"stands still (was due {due})"
    left = clock["seconds_left"]
    word = f"{span(left)} left" if left >= 0 else f"{span(-left)} late"
    return f"due {due}, {word}" + (f", extended {clock['extensions']} time(s)" if clock["extensions"] else "")


def _when(iso: str | None, zone: ZoneInfo) -> str:
    return local(datetime.fromisoformat(iso), zone) if iso else ""


def _events(page: CasePage, names: Mapping[str, str], zone: ZoneInfo) -> Iterator[str]:
    process = process_named(page.case.process)
    for event in page.events:
        move = f" → {event['to']}" if event["from"] != event["to"] else ""
        what = title_of(process, event["trigger"]) if event["kind"] == "transition" else event["kind"].replace("_", " ")
        why = event["details"].get("why")
        text = event["personal"].get("text") or event["personal"].get("note") or why or ""
        yield f"{_when(event['at'], zone)}  {_by(event, names):<16} {what}{move}{f': {text}' if text else ''}"


def _messages(page: CasePage, zone: ZoneInfo) -> Iterator[str]:
    for message in page.messages:
        reason = f" ({message['reason']})" if message.get("reason") else ""
        when = _when(message.get("sent_at") or message.get("not_before"), zone)
        to = message.get("to_email") or whom(message["audience"])
        yield f"{when}  {message['state']:<10} {message['kind']} to {to}{reason}"


def _links(page: CasePage) -> Iterator[str]:
    for link in page.links:
        yield f"{link['type'].replace('_', ' ')}: {link['ref']} ({link['state'].replace('_', ' ')})"


def _tasks(page: CasePage, zone: ZoneInfo) -> Iterator[str]:
    for task in page.tasks:
        if task["closed"] is None:
            yield f"{task['number']}  {task['title']} (by {_when(task['due'], zone)})"


def _choices(page: CasePage) -> Iterator[str]:
    lines: dict[str, None] = {}
    for choice in page.choices:
        form = "".join(f" --set {each['field']}=…" for each in _form(choice.transition.needs) if each["required"])
        why = f"  not now: {choice.refused.sentence}" if choice.refused else ""
        lines[f"{choice.transition.trigger:<26} {choice.transition.title}{form}{why}"] = None
    yield from lines  # several transitions may look the same to a person


def _next(page: CasePage, zone: ZoneInfo) -> Iterator[str]:
    for expected in page.next:
        to = (f"{kind} to {whom(audience)}" for kind, audience in expected.messages)
        does = "; ".join(filter(None, [", ".join(to), *expected.tasks]))
        move = "" if expected.target == page.case.state else f" → {expected.target.replace('_', ' ')}"
        yield f"{local(expected.at, zone):<21}  {expected.trigger.replace('_', ' ')}{move}{f': {does}' if does else ''}"
