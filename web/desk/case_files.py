"""The files of a case: putting one there, and taking a copy."""

from __future__ import annotations

from starlette.responses import Response

from cases import evidence
from cases.errors import CaseError, CaseNotFound
from cases.sight import glance
from web.access import STAFF
from web.desk.case_shown import shown
from web.desk_page import Desk
from web.naming import plural
from web.posted import Form
from web.routing import Pages

pages = Pages(may=STAFF)


@pages.post("/cases/{ref}/files")
def add_files(desk: Desk, posted: Form, ref: str) -> Response:
    """Put files on a case; those that are refused are named with the reason, the others are kept."""
    found = glance(desk.env, ref, actor=desk.actor, now=desk.now)
    added, refused, status = 0, [], 422
    for upload in posted.files("file"):
        try:
            actor = desk.actor_for(found.owner_id)
            evidence.add(desk.env, found.ref, upload.name, upload.content, actor=actor, now=desk.now)
            added += 1
        except CaseNotFound:
            raise
        except CaseError as bad:
            refused.append(f"{upload.name}: {bad}")
            status = bad.status
    if not added and not refused:
        refused = ["Choose a file first."]
    if refused:
        kept = [f"{plural(added, 'file')} added; the others were not."] if added else []
        return shown(desk, ref, status=status, files_refused=[*kept, *refused])
    return desk.see_other(f"/cases/{found.ref}", f"{plural(added, 'file')} added.")


@pages.get("/cases/{ref}/files/{sha256}", statements=16)
def download(desk: Desk, ref: str, sha256: str) -> Response:
    """A copy of a file, to be kept and not to be shown in the browser."""
    file, content = evidence.read(desk.env, ref, sha256, actor=desk.actor, now=desk.now)
    return desk.download(file.name, file.media_type, [content])
