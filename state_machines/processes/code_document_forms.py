"""What must be typed to move a version of a document that members sign."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Form(BaseModel):
    """A form takes no field it does not know."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


Reason = Annotated[str, Field(min_length=3, max_length=2000, description="Why; it stays on the record")]
Title = Annotated[str, Field(min_length=3, max_length=200, description="What members read as its name")]
Number = Annotated[
    str, Field(min_length=1, max_length=20, pattern=r"^[\w.\-]+$", description="Number of the version, such as 3.0")
]
Summary = Annotated[
    str,
    Field(min_length=3, max_length=4000, description="What has changed since the version before, in members' words"),
]
Material = Annotated[bool, Field(description="Members must sign again; where not, they are only told what has changed")]
Effective = Annotated[date, Field(description="The day from which it holds, from 09:00")]
Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})?$", max_length=12)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Languages = Annotated[
    dict[Language, Digest], Field(min_length=1, max_length=40, description="SHA-256 of the text, by language")
]


class Because(Form):
    """A step that needs nothing but its reason."""

    reason: Reason


class Text(Form):
    """The texts of a version, one of which decides where they differ."""

    languages: Languages
    authoritative: Annotated[Language, Field(description="The language whose text decides where they differ")]

    @model_validator(mode="after")
    def _decides(self) -> Self:
        if self.authoritative not in self.languages:
            raise ValueError("the language that decides has no text")
        return self


class Version(Text):
    """A new version, as somebody begins it."""

    title: Title
    number: Number
    material: Material = True
    summary: Summary
    effective_on: Effective
    supersedes: Annotated[str, Field(max_length=40, description="Reference of the version before")] = ""


class Description(Form):
    """What is said about a version, besides its text."""

    title: Title
    number: Number
    material: Material = True
    summary: Summary
    effective_on: Effective


class NewDate(Form):
    """Another day from which a version holds."""

    effective_on: Effective
    reason: Reason


class Review(Form):
    """What the review of the text came to."""

    note: Annotated[str, Field(max_length=4000, description="What was looked at, and by whom")] = ""


class Successor(Form):
    """The version that takes the place of this one."""

    superseded_by: Annotated[str, Field(max_length=40, description="Its reference")]
    superseded_by_number: Annotated[str, Field(max_length=20, description="Its number")]
