"""docs/api.md, made from the OpenAPI description: ``python -m web.api.reference docs/api.md``."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from web.api.problem_kinds import KINDS

_Told = Mapping[str, Any]

INTRODUCTION = """\
# The REST API

This page is made from the OpenAPI document, which an installation serves at `/api/v1/openapi.json`; do not edit it.

A program signs in with an API token, which an administrator makes on the desk (*Administration, API keys*), and acts as
the member of staff it was made for: same roles, same teams, same walls, within the scopes of the token.

```sh
export MUSTER=https://muster.example.org/api/v1 TOKEN=mst_…
curl -H "Authorization: Bearer $TOKEN" "$MUSTER/cases?due=overdue"
curl -H "Authorization: Bearer $TOKEN" "$MUSTER/cases/CO-2026-000042/choices"
curl -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" -H 'If-Match: "7"' \\
     -H "Idempotency-Key: $(uuidgen)" -d '{"payload": {"reason": "Withdrawn by telephone"}}' \\
     "$MUSTER/cases/CO-2026-000042/transitions/withdraw"
```

**Instants** are RFC 3339 in UTC (`2026-03-02T09:00:00Z`), days are ISO 8601. What is sent needs its offset.

**Pages.** A list answers `items` and `next`, the address of the next page (also as `Link` header); null on the last.
`limit` is 50 unless you say, 200 at most. What does not move in the list meanwhile is neither
skipped nor repeated; members, the members of a campaign, and cases with `newest=true` never move.

**Following.** `/events` tells what happened to cases and `/member-changes` what changed on members since you asked
last: keep `next` and ask it again. Nothing is left out or told twice, however much is written at once. To keep a copy,
ask for the place with `from_now=true` first, then read the lists, then follow.

**Your own numbers.** A case or member that you send with your `external_ref` is there once, and is found again with
`?external_ref=…`.

**Versions.** One case, member or campaign comes with an `ETag`. Send it as `If-None-Match` to get 304 while it is the
same. Send it, or the `version` in quotes, as `If-Match` with what you do: if somebody was faster, nothing is done, and
the answer is 412 with who changed what (`changes`).

**Doing a thing once.** With an `Idempotency-Key` a POST or PATCH may be sent again after a broken line: the repetition
gets the first answer, marked `Idempotency-Replayed: true`, for 24 hours. While the first is still at work the answer is
409 with `Retry-After`. A request that was refused did nothing, and its key is free again. Should Muster die between
doing and answering, it says so (`answer-lost`) instead of guessing.

**Confidentiality.** What you may not see is not found, whether it exists or not: in lists, at addresses, in messages
and files alike.
"""


def page(document: _Told) -> str:
    """Return the reference in Markdown."""
    return "\n".join([INTRODUCTION, *_scopes(document), *_problems(), *_operations(document), *_bodies(document)])


def _scopes(document: _Told) -> Iterator[str]:
    yield "## Scopes\n"
    yield from _table(("scope", "what it is for"), [
        (f"`{name}`", text) for name, text in document["components"]["securitySchemes"]["token"]["x-scopes"].items()
    ])  # fmt: skip


def _problems() -> Iterator[str]:
    yield "## Problems\n"
    yield "Every error is `application/problem+json`: `type`, `title`, `status`, `detail` (a sentence for people) and,"
    yield "where fields are wrong, `errors` by field.\n"
    yield from _table(("type", "status", "what it means"), [
        (f"`{kind.uri}`", str(kind.status), kind.text) for kind in KINDS.values()
    ])  # fmt: skip


def _operations(document: _Told) -> Iterator[str]:
    words = _words(document)
    for tag in document["tags"]:
        yield f"## {tag['name']}\n"
        yield f"{tag['description']}\n"
        for path, item in document["paths"].items():
            for method, operation in item.items():
                if tag["name"] in operation["tags"]:
                    yield from _operation(path, method, operation, words)


def _operation(path: str, method: str, operation: _Told, words: Mapping[str, str]) -> Iterator[str]:
    yield f"### {method.upper()} {path}\n"
    yield f"{operation['summary']}. Scope `{operation['security'][0]['token'][0]}`.\n"
    if not operation["description"].startswith(operation["summary"]):
        yield f"{operation['description']}\n"
    parameters = [each for each in operation.get("parameters", ()) if each["in"] != "header"]
    if parameters:
        yield from _table(("parameter", "in", "type", "what it is"), [
            (f"`{each['name']}`", each["in"], _type(each["schema"], words), each["description"]) for each in parameters
        ])  # fmt: skip
    yield from _sent(operation, words)
    yield from _answered(operation, words)


def _sent(operation: _Told, words: Mapping[str, str]) -> Iterator[str]:
    headers = [f"`{each['name']}`" for each in operation.get("parameters", ()) if each["in"] == "header"]
    if headers:
        yield f"Headers: {', '.join(headers)}.\n"
    for kind, told in operation.get("requestBody", {}).get("content", {}).items():
        if kind != "application/json":
            yield f"Body: `{kind}` with the part `file`.\n"
            continue
        yield f"Body: {_type(told['schema'], words)}, for example\n"
        yield f"```json\n{_json(told['examples']['example']['value'])}\n```\n"


def _answered(operation: _Told, words: Mapping[str, str]) -> Iterator[str]:
    for status, told in operation["responses"].items():
        if status < "300":
            body = told.get("content", {}).get("application/json")
            what = _type(body["schema"], words) if body else "the file" if told.get("content") else "no body"
            problems = sorted(code for code in operation["responses"] if code >= "300")
            yield f"Answers {status} with {what}; otherwise {', '.join(problems)}.\n"


def _bodies(document: _Told) -> Iterator[str]:
    words = _words(document)
    yield "## Bodies\n"
    for name, schema in sorted(document["components"]["schemas"].items()):
        if "properties" not in schema or name.startswith(("Listed", "Followed", "Body")):
            continue
        required = set(schema.get("required", ()))
        yield f"### {name}\n"
        yield f"{schema.get('description', '').strip()}\n"
        yield from _table(("field", "type", "what it is"), [
            (f"`{field}`{'' if field in required else ' (may be left out)'}", _type(told, words), told["description"])
            for field, told in schema["properties"].items()
        ])  # fmt: skip


def _words(document: _Told) -> Mapping[str, str]:
    """Return the choices of the schemas that are nothing but a choice, by name."""
    schemas = document["components"]["schemas"].items()
    return {name: _type(schema, {}) for name, schema in schemas if "enum" in schema}


def _type(schema: _Told, words: Mapping[str, str]) -> str:
    """Return a schema in a word or two."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        if name in words:
            return words[name]
        kind, _, of = name.partition("_")
        if kind in ("Listed", "Followed"):
            return f"{'a page of' if kind == 'Listed' else 'some of'} {_link(of.rstrip('_'))}"
        return _link(name)
    if "anyOf" in schema:
        return " or ".join(_type(each, words) for each in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(f"`{word}`" for word in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'], words)}"
    plain = {"date-time": "instant", "date": "day"}.get(schema.get("format", "")) or schema.get("type")
    return str(plain or "anything")


def _link(name: str) -> str:
    return f"[{name}](#{name.lower()})"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"
    yield ""


if __name__ == "__main__":
    from web.api.app import description

    Path(sys.argv[1]).write_text(page(description()), encoding="utf-8")
