"""What a backup says of itself, in its last part. All of it is checked before any of it is used or shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, ValidationError

from cases.copies.errors import BadBackup

FORMAT = 1

Line = Annotated[str, Field(max_length=300, pattern=r"^[ -~]*$")]
"""Nothing that a terminal would obey."""
PartName = Annotated[
    str, Field(pattern=r"^(tables/[a-z_][a-z0-9_]{0,62}\.copy\.gz|(evidence|mail)/[0-9a-f]{64}|secret-key)$")
]
TableName = Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_]{0,62}$")]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Checked(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True)


class _Table(_Checked):
    columns: list[Annotated[str, Field(max_length=63)]]
    rows: NonNegativeInt


class _Record(_Checked):
    cases: NonNegativeInt
    events: NonNegativeInt
    digest: Digest


class _Manifest(_Checked):
    model_config = ConfigDict(extra="allow")  # what is told for whoever reads the archive, and used by nobody

    made_at: Line
    muster: Line
    revision: Line
    kind: Line
    record: _Record
    tables: dict[TableName, _Table]
    key: Line
    faults: list[Line]
    parts: dict[PartName, tuple[NonNegativeInt, Digest]]


class _Version(BaseModel):
    format: int


def read(content: bytes) -> Mapping[str, Any]:
    """Return what a backup says of itself. Raises BadBackup."""
    try:
        if _Version.model_validate_json(content).format != FORMAT:
            raise BadBackup("it was made by a newer Muster; use that version, or a newer one.")
        return _Manifest.model_validate_json(content).model_dump()
    except ValidationError:
        raise BadBackup("what it says of itself is not what a backup says.") from None
