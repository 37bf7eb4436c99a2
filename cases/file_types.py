"""Which files are taken as evidence. What a file is, is read from its content; its name must say the same."""

from __future__ import annotations

import re
import unicodedata
import zipfile
from collections.abc import Mapping
from pathlib import Path

import filetype  # type: ignore[import-untyped]  # the package carries no types

ALLOWED: Mapping[str, str] = {
    "pdf": "application/pdf",
    "png": "image/png",
    "jpg": "image/jpeg",
    "gif": "image/gif",
    "webp": "image/webp",
    "txt": "text/plain",
    "csv": "text/csv",
    "eml": "message/rfc822",
    "msg": "application/vnd.ms-outlook",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "odt": "application/vnd.oasis.opendocument.text",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
}
"""Extensions and their media types. No archives, web pages, programs or scripts."""

LONGEST_NAME = 120
_SAME = {"jpeg": "jpg", "jpe": "jpg", "apng": "png"}
_OF_PHONES = frozenset({"heic", "heif", "avif"})
_BINARY = frozenset({"pdf", "png", "jpg", "gif", "webp"})
_TEXTS = frozenset({"txt", "csv", "eml"})
_OFFICE = {"word/": "docx", "xl/": "xlsx", "ppt/": "pptx"}
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OUTLOOK = "__properties_version1.0".encode("utf-16-le")
_MARKUP = re.compile(r"\s*(<!doctype|<html|<head|<body|<svg|<script|<\?xml|<\?php|#!)", re.IGNORECASE)
_HEADER = re.compile(r"(?:From \S.*\r?\n)?[A-Za-z][A-Za-z0-9-]*:[ \t]?\S")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")
_NOT_IN_NAMES = re.compile(r'[<>:"|?*]')


class BadFile(ValueError):
    """The file cannot be taken; the sentence says why."""


def safe_name(name: str) -> tuple[str, str]:
    """Return a name without folders, control and formatting characters, and its extension. Raises BadFile."""
    last = re.split(r"[\\/]", unicodedata.normalize("NFC", name))[-1]
    visible = "".join(sign for sign in last if sign.isspace() or unicodedata.category(sign)[0] != "C")
    stem, dot, extension = " ".join(_NOT_IN_NAMES.sub("_", visible).split()).rpartition(".")
    extension = _SAME.get(extension.strip().lower(), extension.strip().lower())
    stem = stem.strip(" .")
    if not dot or not stem:
        raise BadFile(f"The file needs a name with an extension, such as letter.pdf; taken are {_taken()}.")
    if extension in _OF_PHONES:
        raise BadFile(f"Photos of the type .{extension} are not taken. Please save the photo as JPG and send that.")
    if extension not in ALLOWED:
        raise BadFile(f"Files of the type .{extension[:20]} are not taken; taken are {_taken()}.")
    return f"{stem[: LONGEST_NAME - len(extension) - 1].rstrip(' .')}.{extension}", extension


def _taken() -> str:
    return ", ".join(ALLOWED)


def check_content(path: Path, extension: str) -> None:
    """Raise BadFile unless the content is what the extension says."""
    with path.open("rb") as file:
        head = file.read(8192)
    if extension in _TEXTS:
        _check_text(path, head, extension)
        return
    found = _found(path, head)
    if found != extension:
        what = f"its content is {found.upper()}" if found in ALLOWED else "its content is something else"
        raise BadFile(f"The name says .{extension}, but {what}; rename it, or save it again in the right format.")


def _found(path: Path, head: bytes) -> str:
    """The extension the content asks for, or ``?``."""
    if head.startswith(_OLE):
        return "msg" if _OUTLOOK in path.read_bytes() else "?"
    if head.startswith(b"PK"):
        return _packed(path)
    guess = filetype.guess_extension(head) or "?"
    guess = _SAME.get(guess, guess)
    return guess if guess in _BINARY else "?"


def _packed(path: Path) -> str:
    """Which office document a ZIP archive is; only its table of contents is read, nothing is unpacked."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            if any(name.rsplit("/")[-1].lower().startswith("vbaproject") for name in names):
                raise BadFile("The document holds macros; save it without them (.docx, .xlsx, .pptx).")
            if "mimetype" in names and archive.getinfo("mimetype").file_size < 200:
                kind = archive.read("mimetype").decode("ascii", "replace").strip()
                return next((extension for extension, media in ALLOWED.items() if media == kind), "?")
    except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError, ValueError) as bad:
        if isinstance(bad, BadFile):
            raise
        return "?"
    if "[Content_Types].xml" not in names:
        return "?"
    return next((extension for folder, extension in _OFFICE.items() if any(n.startswith(folder) for n in names)), "?")


def _check_text(path: Path, head: bytes, extension: str) -> None:
    text, what = decoded(path.read_bytes()), _found(path, head)
    if text is None or what in ALLOWED:
        hint = f"its content is {what.upper()}" if what in ALLOWED else "its content is no text"
        raise BadFile(f"The name says .{extension}, but {hint}.")
    check_text(text, f".{extension}")
    if extension == "eml" and not _HEADER.match(text.lstrip("\ufeff\r\n")):
        raise BadFile("The name says .eml, but it does not begin like a message.")


def check_text(text: str, said: str) -> None:
    """Raise BadFile when a text is really a web page or a script, or holds control characters."""
    if _MARKUP.match(text.removeprefix("\ufeff")):
        raise BadFile(f"It should be {said}, but its content is a web page, a picture or a script.")
    if _CONTROLS.search(text):
        raise BadFile(f"It should be {said}, but it holds characters that no text has.")


def decoded(content: bytes) -> str | None:
    """Return content as text, or None when it is none: UTF-8, UTF-16 with its mark, or the Windows code page."""
    marked = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if marked else ("utf-8", "cp1252"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return None if _CONTROLS.search(text) else text
    return None
