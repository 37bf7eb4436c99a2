"""Documents that members sign: all of them, one version with its texts, a new one, and verifying a receipt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import Response

from cases import commands
from cases.documents import reading, signatures
from cases.documents.files import Given
from cases.documents.reading import Text, TextChanged, Version
from cases.documents.versions import PROCESS, add_version, change_texts
from cases.errors import BadInput, CaseChanged, TransitionRefused
from state_machines.processes.code_document_forms import Description
from state_machines.registry import process_named
from state_machines.values import STAFF as STAFF_ROLES
from surveys.languages import NAMES, direction
from web.access import STAFF, staff
from web.desk import case_choices
from web.desk.case_shown import read
from web.desk_page import Desk, DeskPage
from web.forms import fields_of, leftover_errors
from web.posted import Form, Posted, Upload
from web.routing import Pages
from web.typed import payload_of

pages = Pages(may=STAFF)
AUTHORS = staff(*STAFF_ROLES.intersection(process_named(PROCESS).opened_by))
SPARE_TEXTS = 3
"""So many rows for further languages a form offers; who has more sends it again."""
_CHOICES = sorted(NAMES.items(), key=lambda pair: pair[0])


@pages.get("/documents", statements=8)
def documents(desk: Desk) -> Response:
    """Every document with its versions, the newest first."""
    found = reading.documents(desk.env, actor=desk.actor, now=desk.now)
    return desk.page("desk/documents.html", title="Documents", found=found, may_write=_may_write(desk))


def _may_write(desk: DeskPage) -> bool:
    return bool(AUTHORS.roles & desk.roles_today)


# ----------------------------------------------------------------------------------------------- a new version


@pages.get("/documents/new", may=AUTHORS, statements=14)
def new(desk: Desk, supersedes: str = "") -> Response:
    """The form of a new version; of one that takes the place of another, with what stays the same."""
    before = reading.version(desk.env, supersedes, actor=desk.actor, now=desk.now) if supersedes else None
    typed = {"title": before.line.title, "material": True} if before else {"material": True}
    return _new(desk, typed, before=before)


def _new(
    desk: DeskPage, typed: Mapping[str, Any], *, before: Version | None = None,
    errors: Mapping[str, Sequence[str]] | None = None, trouble: Sequence[str] = (), status: int = 200,
) -> Response:  # fmt: skip
    fields = fields_of(Description, typed, errors, zone=desk.env.settings.zone)
    others = [*trouble, *leftover_errors(Description, errors or {})]
    known = [text.language for text in before.texts] if before else ["en"]
    return desk.page(
        "desk/document_new.html", title="A new version" if before else "A new document", status=status,
        fields=fields, others=others, before=before, languages=_CHOICES, rows=_rows(known),
    )  # fmt: skip


def _rows(known: Sequence[str]) -> list[str]:
    """The languages that the rows of a form begin with; the spare ones with none."""
    return [*known, *[""] * SPARE_TEXTS]


@pages.post("/documents/new", may=AUTHORS)
def add(desk: Desk, posted: Form) -> Response:
    """Begin the version."""
    supersedes = posted.text("supersedes").strip()
    typed = _described(desk, posted)
    before = reading.version(desk.env, supersedes, actor=desk.actor, now=desk.now) if supersedes else None
    try:
        files = _files(posted)
        done = add_version(
            desk.env, title=typed.get("title", ""), number=typed.get("number", ""), files=files,
            authoritative=_decides(posted, files), material=bool(typed.get("material")),
            summary=typed.get("summary", ""), effective_on=typed.get("effective_on", ""), supersedes=supersedes or None,
            actor=desk.actor, now=desk.now,
        )  # fmt: skip
    except TransitionRefused as no:
        return _new(desk, typed, before=before, errors=no.errors, trouble=() if no.errors else [str(no)], status=422)
    except BadInput as bad:
        return _new(desk, typed, before=before, trouble=[str(bad)], status=bad.status)
    words = "The version is begun. Look at its texts, then send it to review."
    return desk.see_other(f"/documents/{done.after.ref}", words)


def _described(desk: DeskPage, posted: Posted) -> dict[str, Any]:
    mine = {name: values for name, values in posted.texts.items() if name in Description.model_fields}
    return payload_of(Description, Posted(mine), zone=desk.env.settings.zone)


def _files(posted: Posted) -> dict[str, Given]:
    """The files by language. Raises BadInput where one has no language, or two have the same."""
    found: dict[str, Given] = {}
    for number in range(len(NAMES)):
        uploads: Sequence[Upload] = posted.files(f"file.{number}")
        if not uploads:
            continue
        language = posted.text(f"language.{number}").strip()
        if not language:
            raise BadInput(f"Say in which language {uploads[0].name} is, and choose the files again.")
        if language in found:
            raise BadInput("Two files were chosen for one language. Choose the files again.")
        found[language] = Given(uploads[0].name, uploads[0].content)
    if not found:
        raise BadInput("Choose the file with the text, for at least one language.")
    return found


def _decides(posted: Posted, files: Mapping[str, Given]) -> str:
    row = posted.number("decides")
    chosen = posted.text(f"language.{row}").strip() if row is not None else ""
    return chosen or next(iter(files), "")


# --------------------------------------------------------------------------------------------- one of them


@pages.get("/documents/verify", statements=5)
def verify(desk: Desk) -> Response:
    """Where a receipt is verified, by its file or its number."""
    return desk.page("desk/receipt_verify.html", title="Verify a receipt", verdict=None, number="")


@pages.post("/documents/verify")
def verified(desk: Desk, posted: Form) -> Response:
    """Say whether a receipt is one of ours. A number or a name is never in an address."""
    number, uploads = posted.text("number"), posted.files("file")
    if uploads:
        verdict = signatures.verify_file(desk.env, uploads[0].content.read(), actor=desk.actor, now=desk.now)
    elif number.strip():
        verdict = signatures.verify_number(desk.env, number, actor=desk.actor, now=desk.now)
    else:
        raise BadInput("Choose the file of the receipt, or type its number.")
    return desk.page("desk/receipt_verify.html", title="Verify a receipt", verdict=verdict, number=number[:60])


@pages.get("/documents/{ref}", statements=32)
def document(desk: Desk, ref: str, language: str = "") -> Response:
    """One version: its text, what has changed, who wrote and approved it, and what can be done."""
    return _document(desk, ref, language)


def _document(
    desk: DeskPage, ref: str, language: str = "", *, status: int = 200, trouble: Sequence[str] = (),
    typed: Mapping[str, Any] | None = None, errors: Mapping[str, Sequence[str]] | None = None,
) -> Response:  # fmt: skip
    found = reading.version(desk.env, ref, actor=desk.actor, now=desk.now)
    text, damaged = _text(desk, found, language)
    case = read(desk, found.line.ref, events=1)
    described = typed or {name: found.row.data.get(name) for name in Description.model_fields}
    return desk.page(
        "desk/document.html", title=f"{found.line.title} {found.line.number}", status=status, found=found, text=text,
        damaged=damaged, actions=case_choices.actions(case), version=case.case.version, direction=direction,
        is_draft=found.line.state == "draft" and _may_write(desk), may_write=_may_write(desk), trouble=trouble,
        fields=fields_of(Description, described, errors, zone=desk.env.settings.zone), languages=_CHOICES,
        rows=_rows([each.language for each in found.texts]),
    )  # fmt: skip


def _text(desk: DeskPage, found: Version, language: str) -> tuple[Text | None, str]:
    """The text that is shown, or the sentence about one that is not what it was."""
    if not found.texts:
        return None, ""
    languages = [text.language for text in found.texts]
    chosen = found.text(language if language in languages else languages[0])
    try:
        return reading.with_content(desk.env, chosen), ""
    except TextChanged as changed:
        return None, str(changed)


@pages.get("/documents/{ref}/text/{language}", statements=14)
def text(desk: Desk, ref: str, language: str) -> Response:
    """A text as the file it is."""
    found = reading.read_text(desk.env, ref, language, actor=desk.actor, now=desk.now)
    return desk.download(found.name, found.content_type, [found.content])


@pages.get("/documents/{ref}/changes", statements=22)
def changes(desk: Desk, ref: str, language: str = "") -> Response:
    """What has changed since the version before, word by word."""
    found = reading.version(desk.env, ref, actor=desk.actor, now=desk.now)
    languages = [text.language for text in found.texts]
    chosen = language if language in languages else found.line.authoritative
    compared = reading.changes(desk.env, found, chosen, actor=desk.actor)
    return desk.page(
        "desk/document_changes.html", title="What has changed", found=found, compared=compared, language=chosen,
        direction=direction,
    )  # fmt: skip


@pages.post("/documents/{ref}/describe", may=AUTHORS)
def describe(desk: Desk, posted: Form, ref: str) -> Response:
    """Change what is said about a draft."""
    typed = _described(desk, posted)
    try:
        commands.fire(
            desk.env, ref, "describe", payload=typed, seen_version=posted.number("version"), actor=desk.actor,
            now=desk.now,
        )  # fmt: skip
    except TransitionRefused as no:
        return _document(desk, ref, status=422, typed=typed, errors=no.errors, trouble=() if no.errors else [str(no)])
    except CaseChanged as late:
        return _document(desk, ref, status=409, typed=typed, trouble=[str(late)])
    return desk.see_other(f"/documents/{ref.upper()}", "The description is changed.")


@pages.post("/documents/{ref}/texts", may=AUTHORS)
def replace_texts(desk: Desk, posted: Form, ref: str) -> Response:
    """Replace, add or take away texts of a draft."""
    try:
        given: dict[str, Given | None] = dict.fromkeys(posted.all("remove"))
        if posted.uploads:
            given |= _files(posted)
        change_texts(
            desk.env, ref, given, authoritative=_decides(posted, {}), seen_version=posted.number("version"),
            actor=desk.actor, now=desk.now,
        )  # fmt: skip
    except (BadInput, TransitionRefused, CaseChanged) as bad:
        status = 422 if isinstance(bad, TransitionRefused) else bad.status
        return _document(desk, ref, status=status, trouble=[str(bad)])
    return desk.see_other(f"/documents/{ref.upper()}", "The texts are changed.")
