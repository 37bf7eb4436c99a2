"""What a mail says, as plain text, and of that what is new. HTML is stripped and never shown."""

from __future__ import annotations

import re
from email.message import Message
from html import unescape

from notifications.inbox.incoming import Attachment
from notifications.inbox.opening import content_of, decoded, parts_of, type_of

LONGEST = 100_000
_BLOCKS = frozenset({"p", "div", "br", "tr", "li", "h1", "h2", "h3", "h4", "table", "ul", "ol", "blockquote", "hr"})
_SILENT = frozenset({"script", "style", "head", "title"})
_TAG = re.compile(r"(/?)([a-zA-Z][a-zA-Z0-9]*)")

_INTRODUCES = re.compile(
    r"^\s*(?:>*\s*)?(?:"
    r"-{2,}\s*(?:original message|ursprüngliche nachricht|message d'origine|mensaje original|messaggio originale"
    r"|oorspronkelijk bericht|wiadomość oryginalna|mensagem original|původní zpráva|ursprungligt meddelande"
    r"|forwarded message|weitergeleitete nachricht)\b.*"
    r"|_{10,}|-{20,}"
    r"|(?:on|am|le|el|il|op|w dniu|em|dne|den)\s.{4,200}(?:wrote|schrieb|a écrit|escribió|ha scritto|schreef|napisał"
    r"|napisał\(a\)|escreveu|napsala?|skrev)\b.{0,200}:\s*"
    r")$",
    re.IGNORECASE,
)
_HEAD_OF_QUOTE = re.compile(r"^\s*\**(?:from|von|de|da|van|od|från)\s?:\**\s.*@.*$", re.IGNORECASE)
_BEGINS = re.compile(r"^\s*(?:on|am|le|el|il|op|w dniu|em|dne|den)\s.{4,200}$", re.IGNORECASE)
_SIGNATURE = re.compile(r"^-- ?$")


def text_of(message: Message) -> str:
    """Return what a mail says: its first plain text, or its HTML without the tags."""
    html = ""
    for part in _said_itself(message):
        kind = type_of(part)
        if kind == "text/plain" and (found := content_of(part).strip()):
            return found[:LONGEST]
        if kind == "text/html" and not html:
            html = without_tags(content_of(part)).strip()
    return html[:LONGEST]


def _said_itself(message: Message) -> list[Message]:
    """Return the parts of the mail itself, without files and without mails inside it."""
    inside: set[int] = set()
    found = []
    for part in parts_of(message):
        if type_of(part).startswith("message/") or id(part) in inside:
            inner = part.get_payload()
            inside |= {id(each) for each in inner} if isinstance(inner, list) else set()
        elif not _is_file(part):
            found.append(part)
    return found


def _is_file(part: Message) -> bool:
    return str(part.get("content-disposition", "")).strip().lower().startswith("attachment")


def attachments_of(message: Message) -> tuple[Attachment, ...]:
    """Return the files that came with a mail, by name."""
    found = []
    for part in parts_of(message):
        if not isinstance(part.get_payload(), list) and (name := _name_of(part)):
            found.append(Attachment(name, type_of(part)))
    return tuple(found[:100])


def _name_of(part: Message) -> str:
    try:
        return decoded(str(part.get_filename() or ""))[:200]
    except Exception:  # names in a form that the library does not bear
        return "a file without a readable name"


def without_tags(html: str) -> str:
    """Return the text of HTML in one pass, so that no page is too clever for it."""
    first, *pieces = html.split("<")
    said, silent = [first], ""
    for piece in pieces:
        tag, _, rest = piece.partition(">")
        match = _TAG.match(tag)
        if match is None:
            said.append("" if silent else rest if tag.startswith("!") else f"<{piece}")
            continue
        closes, name = match[1] == "/", match[2].lower()
        if silent:
            silent = "" if closes and name == silent else silent
        elif name in _SILENT and not closes:
            silent = name
        if not silent:
            said.append(("\n" if name in _BLOCKS else "") + rest)
    lines = [" ".join(line.split()) for line in unescape("".join(said)).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines))


def new_words(text: str) -> str:
    """Return what was newly written above or between quotations; all of it where nothing would be left."""
    lines = text.split("\n")
    kept: list[str] = []
    for index, line in enumerate(lines):
        if _INTRODUCES.match(line[:500]) or _HEAD_OF_QUOTE.match(line[:500]) or _SIGNATURE.match(line):
            break
        if (
            _BEGINS.match(line[:500])
            and index + 1 < len(lines)
            and _INTRODUCES.match(f"{line[:300]} {lines[index + 1][:200]}")
        ):
            break
        if not line.lstrip().startswith(">"):
            kept.append(line.rstrip())
    found = re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()
    return found or text.strip()
