"""Evidence of a case: the list, adding a file, and getting one."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import File, Path, UploadFile
from pydantic import AfterValidator
from starlette.responses import Response

from cases import evidence
from cases.file_types import ALLOWED
from cases.queries import case_page
from web.api.asking import CaseRef, IdempotencyKey, IfNoneMatch, Who, cleaned
from web.api.case_models import EvidenceOne
from web.api.paging import Listed, address, tagged
from web.api.routes import Endpoints
from web.desk_page import attachment

api = Endpoints("Evidence")

Digest = Annotated[
    str, AfterValidator(cleaned),
    Path(description="The SHA-256 of the file, as the list has it.", max_length=100, examples=["9f86d081" * 8]),
]  # fmt: skip
_PLAIN = "application/octet-stream"
"""Of a file whose type was taken once and is not any more."""
_FILE = {
    "headers": {
        "Content-Disposition": {"description": "What the file was called.", "required": True,
                                "schema": {"type": "string"}},
        "ETag": {"description": "The digest; a file never changes.", "required": True, "schema": {"type": "string"}},
    },
    "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in (_PLAIN, *ALLOWED.values())},
    "description": "The content of the file, with its media type.",
}  # fmt: skip


@api.read("/cases/{ref}/evidence", "cases:read", response_model=Listed[EvidenceOne], problems=("not-found",))
def list_evidence(asked: Who, ref: CaseRef) -> Any:
    """List the files of a case.

    All files of the case, in the order in which they were added, on one page.
    """
    page = case_page(asked.env, ref, actor=asked.actor, last_events=1, now=asked.now)
    return {"items": page.evidence, "next": None}


@api.write(
    "/cases/{ref}/evidence",
    "cases:write",
    status_code=201,
    response_model=EvidenceOne,
    problems=("not-found", "no-room"),
    marks={"x-form": True, "x-location": "The new file."},
)
def add_evidence(
    asked: Who, ref: CaseRef, response: Response,
    file: Annotated[UploadFile, File(description="The file, with its name.")], key: IdempotencyKey = None,
) -> Any:  # fmt: skip
    """Put a file on a case.

    Send the file as the part `file` of a form. Taken are PDF, pictures, text, mail and office documents without
    macros, up to 20 MiB; what a file is, is read from its content, and its name must say the same. A file that the
    case has already is answered as it is.
    """
    found = evidence.add(asked.env, ref, file.filename or "", file.file, actor=asked.actor_on(ref), now=asked.now)
    response.headers["location"] = address(asked.request, f"/cases/{found.ref}/evidence/{found.sha256}")
    return {
        "sha256": found.sha256, "name": found.name, "media_type": found.media_type, "size": found.size,
        "added": found.added_at, "by": found.added_by,
    }  # fmt: skip


@api.read(
    "/cases/{ref}/evidence/{sha256}",
    "cases:read",
    response_class=Response,
    problems=("not-found", "internal"),
    responses={200: _FILE},
    marks={"x-versioned": True, "x-file": True},
)
def get_evidence(asked: Who, ref: CaseRef, sha256: Digest, known: IfNoneMatch = None) -> Response:
    """Get a file of a case."""
    found, content = evidence.read(asked.env, ref, sha256, actor=asked.actor, now=asked.now)
    headers = {"content-disposition": attachment(found.name), "content-security-policy": "sandbox; default-src 'none'"}
    kind = found.media_type if found.media_type in ALLOWED.values() else _PLAIN
    return tagged(asked.request, f'"{found.sha256}"', content, kind, **headers)
