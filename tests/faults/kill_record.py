"""The record of a world in words that do not hang on how often it took somebody to write it.

What two worlds cannot have in common, and why:
ids and references of cases, and whatever is made from them (hashes, Message-IDs, keys of links), since a launch that
was undone has used up its numbers; ids of events, messages and tasks for the same reason; the random salt of personal
parts and their digests; attempts and leases, which count the kills; times of the real clock (sweeps, the ledger).
The chain of hashes is verified in each world by itself. Cases are named by their process and member instead.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from notifications.links import without_keys
from tests.cast import Cast

_REF = re.compile(r"\b[A-Z]{2}-\d{4}-\d{6}\b")
_DIGEST = re.compile(r"\b[0-9a-f]{64}\b")
_OWN_NUMBERS: Mapping[str, frozenset[str]] = {
    "cases": frozenset({"id", "ref", "last_hash"}),
    "case_events": frozenset({"id", "hash", "prev_hash", "personal_digest"}),
    "event_personal": frozenset({"salt"}),
    "case_tasks": frozenset({"id"}),
    "case_links": frozenset(),
    "case_words": frozenset(),
    "campaign_members": frozenset(),
    "response_answers": frozenset(),
    "response_drafts": frozenset(),
    "messages": frozenset({
        "id", "attempts", "lease_by", "lease_until", "message_id", "body_html", "body_sha256", "last_error",
    }),
    "members": frozenset(),
    "contacts": frozenset(),
    "link_epochs": frozenset({"revoked_at"}),
}  # fmt: skip
"""The tables that are compared, and of each what is left out."""
_NAMES_A_CASE = ("case_id", "parent_id", "campaign_id", "from_id", "to_id")
_BEGINS_WITH_A_CASE = ("occurrence", "key")


def record_of(cast: Cast) -> dict[str, list[str]]:
    """Return every row of every table of the record, sorted, and the jobs that were done."""
    by_id, by_ref = _names(cast)
    found = {
        table: sorted(_line(row._mapping, left_out, by_id, by_ref) for row in cast.rows(f"SELECT * FROM {table}"))
        for table, left_out in _OWN_NUMBERS.items()
    }
    found["job_runs"] = [f"{row.job} {row.period}" for row in cast.rows(
        "SELECT job, period FROM job_runs WHERE finished_at IS NOT NULL ORDER BY job, period")]  # fmt: skip
    return found


def _names(cast: Cast) -> tuple[Mapping[int, str], Mapping[str, str]]:
    by_id, by_ref = {}, {}
    for row in cast.rows(
        "SELECT c.id, c.ref, c.process, m.ref AS member, "
        "row_number() OVER (PARTITION BY c.process, m.ref ORDER BY c.id) AS n "
        "FROM cases c LEFT JOIN members m ON m.id = c.member_id"
    ):
        by_id[row.id] = by_ref[row.ref] = f"<{row.process} of {row.member or 'nobody'}, {row.n}>"
    return by_id, by_ref


def _line(row: Mapping[str, Any], left_out: frozenset[str], by_id: Mapping[int, str], by_ref: Mapping[str, str]) -> str:
    values: dict[str, Any] = {}
    for name, value in row.items():
        if name in left_out or value is None:
            continue
        if name in _NAMES_A_CASE:
            values[name] = by_id[value]
        elif name in _BEGINS_WITH_A_CASE and value.partition(":")[0].isdigit():
            number, _, rest = value.partition(":")
            values[name] = f"{by_id[int(number)]}:{rest}"
        else:
            values[name] = value
    return _without_own_numbers(json.dumps(values, sort_keys=True, default=str, ensure_ascii=False), by_ref)


def _without_own_numbers(line: str, by_ref: Mapping[str, str]) -> str:
    named: Callable[[re.Match[str]], str] = lambda found: by_ref.get(found.group(), found.group())  # noqa: E731
    return _DIGEST.sub("…", _REF.sub(named, without_keys(line)))


def differences(one: Mapping[str, list[str]], other: Mapping[str, list[str]]) -> Iterator[str]:
    """Yield what is in one record and not as often in the other."""
    for table in one:
        mine, theirs = Counter(one[table]), Counter(other[table])
        yield from (f"{table}, without kills: {line}" for line in (mine - theirs).elements())
        yield from (f"{table}, with kills: {line}" for line in (theirs - mine).elements())
