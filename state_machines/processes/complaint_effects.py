"""What the steps of a complaint write down, and what they order.

A response that waits for a second person is kept with the parties, where personal data is, until it goes out.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from state_machines.draft import Draft
from state_machines.process import Effect
from state_machines.processes import complaint_rules as rules
from state_machines.values import Role

YEAR = timedelta(days=365)


def open_file(draft: Draft) -> None:
    """Note whose rules apply, who is walled off, and who complains."""
    name, email = draft.typed("complainant_name", ""), draft.typed("complainant_email", "")
    if name or email:
        draft.name_party("complainant", name=name, email=email)
    draft.set(profile=draft.get("profile") or draft.setting("default_profile"))
    numbers = rules.profile(draft)
    from_receipt = numbers["stage_1_from"] == "receipt"
    draft.set(
        walled_off=list(draft.typed("about_staff", ())),
        anonymous=not (name or email),
        received_on=draft.context.calendar.local_date(draft.case.received_at).isoformat(),
        external_body=numbers["external"],
        stage_1_runs=draft.get("profile") if from_receipt else "not_yet",
        stage_1_from=draft.case.received_at.isoformat(),
        acknowledge_from=draft.case.received_at.isoformat(),
    )
    if draft.typed("vulnerable"):
        mark_vulnerable(draft)


def mark_vulnerable(draft: Draft) -> None:
    """Somebody calls within a working day, and one named person deals with it."""
    draft.set(contact="wanted")
    draft.task("first_contact", "Call the complainant, who may be vulnerable", Role.COORDINATOR, "WD(1)")


def note_contact(draft: Draft) -> None:
    """The complainant was called."""
    draft.set(contact="made", first_contact_on=draft.today)


def watch_trend(draft: Draft) -> None:
    """So many complaints on one member within twelve months raise one signal: when the number is reached, not after.

    A complaint that is entered long after it was received belongs to no trend of these twelve months.
    """
    if draft.now - draft.case.received_at > YEAR:
        return
    earlier = int((draft.fact("history") or {}).get("complaints_12m", 0))
    if draft.case.member_id is not None and earlier + 1 == int(draft.setting("trend")):
        _spawn(draft, draft.setting("trend_criterion"), f"{earlier + 1} complaints within 12 months")


def _spawn(draft: Draft, criterion: str, evidence: str = "complaint on file") -> None:
    """Open a monitoring case. Who complained is never passed on."""
    draft.spawn(
        "monitoring", "Raised by complaints" if evidence != "complaint on file" else "Raised by a complaint",
        link="spawned_from", criterion=criterion, severity="major", source="complaint",
        source_date=draft.get("received_on"), evidence=evidence,
    )  # fmt: skip


def open_monitoring(draft: Draft) -> None:
    """A member may have breached the code: that has a case of its own, with its own clock and outcome."""
    criterion = draft.typed("criterion") or draft.get("criterion")
    _spawn(draft, str(criterion))
    draft.set(alleges_breach=True, criterion=str(criterion), monitoring_opened=True)


def start_stage_1(draft: Draft) -> None:
    """Log the points and the handler, and say by when it is answered."""
    handler = draft.typed("handler") or draft.actor.person
    if rules.profile(draft)["stage_1_from"] == "acknowledgement":
        draft.set(stage_1_from=draft.now.isoformat())
    start = datetime.fromisoformat(draft.get("stage_1_from"))
    draft.set(
        issues=[issue.model_dump(mode="json") for issue in draft.typed("issues", ())],
        stage_1_runs=draft.get("profile"), acknowledged_on=draft.today,
    )  # fmt: skip
    draft.set(answer_by=rules.runs_out(draft, "stage_1", start))
    _handled_by(draft, handler)
    if rules.has_respondent(draft):
        draft.set(respondent="awaited")
        draft.set(reply_by=rules.runs_out(draft, "reply"))
    if draft.get("alleges_breach") and not draft.get("monitoring_opened"):
        if draft.case.member_id is not None:
            open_monitoring(draft)
        else:
            draft.task("find_member", "Find the member whom the alleged breach is about", Role.COORDINATOR, "WD(5)")


def _handled_by(draft: Draft, person: str) -> None:
    earlier = [p for p in draft.get("handlers", ()) if p != person]
    draft.set(handler=person, handlers=[*earlier, person])


def name_handler(draft: Draft) -> None:
    """Write down who deals with it; without a name it stays whoever it was."""
    person = draft.typed("handler") or draft.get("handler")
    if person:
        _handled_by(draft, person)


def wall_off(draft: Draft) -> None:
    """Keep more people away from it; a handler among them has to be replaced."""
    people = [*draft.get("walled_off", ()), *draft.typed("about_staff", ())]
    draft.set(walled_off=sorted(set(people)))
    for role in ("handler", "reviewer"):
        if draft.get(role) in people:
            draft.set(**{role: None})


def add_issue(draft: Draft) -> None:
    """A new point joins the others."""
    draft.set(issues=[*draft.get("issues", ()), draft.payload.model_dump(mode="json")] if draft.payload else [])


def note_reply(draft: Draft) -> None:
    """The member has given its side."""
    draft.set(respondent="given", replied_on=draft.today)


def give_more_time(draft: Draft) -> None:
    """Say until when; the clock itself is moved by the step."""
    draft.set(extended=True, answer_by=_later(draft, "stage_1"))


def give_more_time_at_stage_2(draft: Draft) -> None:
    """Say until when; the clock itself is moved by the step."""
    draft.set(stage_2_extended=True, stage_2_by=_later(draft, "stage_2"))


def _later(draft: Draft, clock: str) -> str | None:
    running = draft.case.clocks.get(clock)
    if running is None:
        return None
    calendar = draft.context.calendar
    day = calendar.local_date(running.due)
    return calendar.add_working_days(day, int(draft.typed("days", 0))).isoformat()


def ask_for_progress(draft: Draft) -> None:
    """Somebody writes to the complainant; what there is to say only people know."""
    draft.task("progress_update", "Tell the complainant how far it is", Role.COORDINATOR, "WD(1)")


# --- answers


def _letter(draft: Draft) -> dict[str, Any]:
    fields = {"findings", "answer", "remedies", "redress", "redress_amount"}
    return draft.payload.model_dump(mode="json", include=fields) if draft.payload else {}


def keep_stage_1_letter(draft: Draft) -> None:
    """Keep the response until a manager has agreed with it."""
    draft.name_party("stage_1_letter", **_letter(draft))


def keep_final_letter(draft: Draft) -> None:
    """Keep the final response until it is signed off."""
    draft.name_party("final_letter", **_letter(draft))


def _take(draft: Draft, name: str) -> dict[str, Any]:
    found = dict(draft.parties.get(name, {}))
    draft.parties = {role: details for role, details in draft.parties.items() if role != name}
    return found


def drop_letters(draft: Draft) -> None:
    """Forget a response that was never sent."""
    _take(draft, "stage_1_letter")
    _take(draft, "final_letter")


def respond(draft: Draft) -> None:
    """The response goes out now: when the answer is known, not when the actions are done."""
    _answered_at_stage_1(draft, _letter(draft), "complaint_response")


def respond_as_approved(draft: Draft) -> None:
    """The response goes out as it was approved."""
    _answered_at_stage_1(draft, _take(draft, "stage_1_letter"), "complaint_response")


def respond_early(draft: Draft) -> None:
    """A short written response says what was agreed."""
    _answered_at_stage_1(draft, _letter(draft), "complaint_resolved_early")
    draft.set(stage_1_decision="resolved_early", decision="resolved_early")


def _answered_at_stage_1(draft: Draft, letter: dict[str, Any], kind: str) -> None:
    _note_answer(draft, letter, "stage_1")
    if rules.profile(draft)["second_stage"]:
        draft.set(stage_2_until=rules.runs_out(draft, "stage_2_window"))
    else:
        draft.set(external_until=rules.runs_out(draft, "external_window"))
    _send_answer(draft, letter, kind)


def respond_finally(draft: Draft) -> None:
    """The final response goes out as it was signed off."""
    letter = _take(draft, "final_letter")
    _note_answer(draft, letter, "stage_2")
    draft.set(external_until=rules.runs_out(draft, "external_window"))
    _send_answer(draft, letter, "complaint_final_response")


def _note_answer(draft: Draft, letter: dict[str, Any], stage: str) -> None:
    decision = rules.overall(finding["decision"] for finding in letter.get("findings", ())) or "no_finding"
    causes = [finding["root_cause"] for finding in letter.get("findings", ()) if finding.get("root_cause")]
    draft.set(
        **{
            f"{stage}_responded_on": draft.today,
            f"{stage}_decision": decision,
            f"{stage}_findings": [finding["decision"] for finding in letter.get("findings", ())],
        }
    )
    draft.set(decision=decision, root_causes=[*draft.get("root_causes", ()), *causes])
    draft.set(
        redress=sorted({*draft.get("redress", ()), *letter.get("redress", ())}),
        redress_amount=float(draft.get("redress_amount", 0) or 0) + float(letter.get("redress_amount", 0) or 0),
    )
    _promise(draft, letter.get("remedies", ()))


def _promise(draft: Draft, remedies: Any) -> None:
    """Write down what was promised, and by when all of it is due."""
    new = [{"what": remedy["what"], "due_on": remedy.get("due_on"), "done": False} for remedy in remedies]
    everything = [*draft.get("remedies", ()), *new]
    due = rules.latest(remedy["due_on"] for remedy in everything if not remedy["done"])
    draft.set(remedies=everything, actions_due=due)


def _send_answer(draft: Draft, letter: dict[str, Any], kind: str) -> None:
    to = rules.audience(draft)
    if to is not None:
        draft.send(kind, to, findings=letter.get("findings", []), answer=letter.get("answer", ""))


def by_post(what: str) -> Effect:
    """Return the effect that asks a person to post a letter to a complainant who has a name and no e-mail address."""

    def post(draft: Draft) -> None:
        named = draft.parties.get("complainant", {}).get("name")
        if named and rules.audience(draft) is None and not draft.case.data.get("own_initiative"):
            draft.task("post_letter", f"Send the complainant {what} by post", Role.COORDINATOR, "WD(1)")

    return post


# --- the second stage and the end


def ask_second_stage(draft: Draft) -> None:
    """A second look was asked for."""
    draft.set(stage_2_requested_on=draft.today)


def start_stage_2(draft: Draft) -> None:
    """A person who is new to it takes it."""
    draft.set(
        reviewer=draft.actor.person, stage_2_acknowledged_on=draft.today, stage_2_by=rules.runs_out(draft, "stage_2"),
        stage_2_extended=False,
    )  # fmt: skip


def name_reviewer(draft: Draft) -> None:
    """Somebody else who is new to it takes the second stage."""
    draft.set(reviewer=draft.typed("handler"))


def verify(draft: Draft) -> None:
    """One action is done."""
    number = int(draft.typed("remedy", 0))
    remedies = [dict(remedy) for remedy in draft.get("remedies", ())]
    remedies[number - 1] |= {"done": True, "verified_on": draft.today}
    due = rules.latest(remedy["due_on"] for remedy in remedies if not remedy["done"])
    draft.set(remedies=remedies, actions_due=due, action_done=remedies[number - 1]["what"])


def close(draft: Draft) -> None:
    """Write down how it ended, and ask once how it was."""
    draft.set(outcome=draft.get("decision") or "no_finding", closed_on=draft.today)
    to = rules.audience(draft)
    if to is not None and not draft.get("asked_how_it_was"):
        draft.send("complaint_satisfaction", to)
        draft.set(asked_how_it_was=True)


def withdraw(draft: Draft) -> None:
    """The complainant has taken it back."""
    draft.set(withdrawn_on=draft.today)


def go_on_anyway(draft: Draft) -> None:
    """We go on without the complainant, who gets no more letters after this one."""
    draft.set(withdrawn_on=draft.today, own_initiative=True)


def refer(draft: Draft) -> None:
    """Where it goes, another clock starts."""
    destination = str(draft.typed("destination", ""))
    criterion = draft.typed("criterion") or draft.get("criterion")
    if destination == "monitoring" and criterion and draft.case.member_id is not None:
        open_monitoring(draft)
        return
    what = destination.replace("_", " ")
    draft.task("hand_over", f"Hand this over ({what}) and see that its own time runs", Role.MANAGER, "WD(1)")


def note_external(draft: Draft) -> None:
    """A body outside has taken it up and says by when it wants our evidence."""
    draft.set(
        reviewed_by=draft.typed("body"), external_reference=draft.typed("reference") or "",
        evidence_due=draft.typed("due_on").isoformat(), state_before_review=draft.case.state,
    )  # fmt: skip
    drop_letters(draft)


def note_evidence_sent(draft: Draft) -> None:
    """Look again when the body may have answered."""
    draft.set(evidence_sent_on=draft.today, evidence_due=draft.typed("next_look_on").isoformat())


def note_external_decision(draft: Draft) -> None:
    """What the body found is the outcome now."""
    draft.set(external_decision=str(draft.typed("decision")), decision=str(draft.typed("decision")))
    _promise(draft, [remedy.model_dump(mode="json") for remedy in draft.typed("remedies", ())])


def reopen_unacknowledged(draft: Draft) -> None:
    """It counts as received now: whoever reopens a case does not find it late already."""
    now = draft.now.isoformat()
    draft.set(acknowledge_from=now, stage_1_from=now, reopened_on=draft.today)


def reopen_stage_1(draft: Draft) -> None:
    """The first stage begins again, with a time of its own."""
    draft.set(
        stage_1_runs=draft.get("profile"), stage_1_from=draft.now.isoformat(), extended=False,
        stage_1_responded_on=None, stage_2_responded_on=None, reopened_on=draft.today,
        answer_by=rules.runs_out(draft, "stage_1"),
    )  # fmt: skip
    name_handler(draft)


def reopen_stage_2(draft: Draft) -> None:
    """The second stage begins again."""
    draft.set(
        reviewer=draft.typed("handler") or draft.get("reviewer"), stage_2_responded_on=None,
        stage_2_extended=False, reopened_on=draft.today, stage_2_by=rules.runs_out(draft, "stage_2"),
    )  # fmt: skip
