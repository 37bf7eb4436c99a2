# ruff: noqa: E501  the text of a defence stands here as it stands there
"""Every defence of docs/security.md, with what takes it out of the source, and the tests that must then turn red.

``python -m tests.security.taken_out`` takes out all of them, one after the other, each in a copy of the source, and
prints the table that docs/security.md shows.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
NOT_COPIED = shutil.ignore_patterns(
    ".venv", ".git", ".muster*", ".hypothesis", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".import_linter_cache",
    "__pycache__", "build", "*.egg-info", ".stamps",
)  # fmt: skip
ATTACKS, ACCESS, SIGN_IN = "tests/pages/test_attacks.py", "tests/pages/test_access.py", "tests/pages/test_sign_in.py"
LOOKS, ROLES = "tests/security/test_looks.py", "tests/security/test_roles.py"
RULES, MORE = "tests/security/test_rules.py", "tests/security/test_more_attacks.py"
FORGED = "tests/security/test_evil_backups.py"


@dataclass(frozen=True)
class Defence:
    """A defence: what it belongs to in the list of security, where it stands, and what takes it out."""

    item: str
    name: str
    file: str
    text: str
    instead: str
    tests: tuple[str, ...]
    """Test ids; one of them at least must fail."""


ITEMS = (
    "authorisation", "session", "CSRF", "upload", "SQL injection", "template injection", "header injection",
    "CSV formula", "log injection", "SSRF", "ReDoS", "zip bomb", "XML bomb", "oversized", "link entropy",
    "link revocation", "timing", "secrets", "dependencies", "source rules", "database role", "looks", "backup",
)  # fmt: skip
"""The list of security; each has one defence at least."""

DEFENCES = (
    Defence("authorisation", "a page asks for the role of its rule", "web/access.py",
            "    if not rule.roles & desk.roles_today:\n", "    if False:\n",
            (f"{ACCESS}::test_a_page_opens_for_the_roles_of_its_rule_and_for_nobody_else",)),
    Defence("authorisation", "a case is seen by its team alone", "cases/permissions.py",
            "    return row.team is None or row.team in actor.teams or row.owner_id in {me, *acts_for}\n",
            "    return True\n", (f"{ACCESS}::test_bo_is_told_that_there_is_nothing_of_the_north",)),
    Defence("authorisation", "lists show what one may see", "cases/permissions.py",
            "    return and_(not_walled, or_(named, and_(CaseRow.restricted_to.is_(None), _by_team(actor, me, acts_for))))\n",
            "    return true()\n", (f"{ACCESS}::test_bo_finds_nothing_of_the_north_whatever_he_asks_for",)),
    Defence("authorisation", "who is walled off sees nothing", "cases/permissions.py",
            "    if {me, *_substituted(actor)} & set(row.walled_off or ()):\n", "    if False:\n",
            (f"{ATTACKS}::test_whoever_is_walled_off_learns_nothing_on_any_page_nor_through_the_api",)),
    Defence("authorisation", "a token does what its scopes say", "web/access.py",
            "    if rule.scope not in scopes:\n", "    if False:\n",
            ("tests/pages/test_api_problems.py::test_a_token_without_the_scope_is_told_which",)),
    Defence("authorisation", "what is not known in a body is refused", "web/api/bodies.py",
            'nothing that is not known."""\n\n    model_config = ConfigDict(extra="forbid")', 'nothing that is not known."""', (f"{MORE}::test_no_body_of_the_api_sets_what_it_does_not_name",)),
    Defence("session", "signing in begins a new session", "web/accounts/entering.py",
            "        _end(conn, request, visit.env)\n        key =", "        key =",
            (f"{SIGN_IN}::test_signing_in_begins_a_new_session_whatever_key_the_browser_brought",)),
    Defence("session", "a session ends when nobody is there", "web/sessions.py",
            "now - row.seen_at >= IDLE or now - row.started_at >= LONGEST or ", "", (f"{MORE}::test_a_session_ends_after_two_hours_and_after_a_working_day",)),
    Defence("session", "scripts and other sites get no cookie", "web/desk_page.py",
            'httponly=True, samesite="lax"', 'httponly=False, samesite=None',
            (f"{SIGN_IN}::test_the_key_is_kept_from_scripts_and_other_sites_and_stored_as_a_hash",)),
    Defence("session", "guessing passwords is slowed down", "web/accounts/throttle.py",
            "    if (wait := waiting(conn, keys, now=now)) is not None:\n",
            "    if (wait := waiting(conn, keys, now=now)) is not None and not keys:\n",
            (f"{SIGN_IN}::test_after_five_wrong_passwords_even_the_right_one_has_to_wait",)),
    Defence("CSRF", "a form carries its token", "web/access.py",
            "    if not csrf.holds(page.env.settings.secret_key.get_secret_value(), page.reader, given):\n",
            "    if not given:\n",
            (f"{ATTACKS}::test_no_form_of_anybody_works_without_its_token_or_from_another_site",)),
    Defence("CSRF", "a form of another site is refused", "web/access.py",
            '    if request.headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):\n', "    if False:\n",
            (f"{ATTACKS}::test_no_form_of_anybody_works_without_its_token_or_from_another_site",
             f"{MORE}::test_a_form_with_its_token_is_refused_from_another_site")),
    Defence("upload", "a file is what its name says", "cases/file_types.py",
            "    if found != extension:\n", "    if False:\n",
            ("tests/shell/test_evidence.py::test_what_could_do_harm_or_is_not_what_it_says_is_refused_and_leaves_nothing",)),
    Defence("upload", "a file is kept and never shown", "web/desk_page.py",
            '{"content-disposition": attachment(name), "content-security-policy": "sandbox; default-src \'none\'"}',
            '{"content-disposition": "inline"}',
            (f"{ATTACKS}::test_a_file_is_kept_and_never_shown_wherever_it_is_fetched",)),
    Defence("SQL injection", "no statement is put together", "cases/side_writes.py",
            'conn.execute(_LET_IN, {"ids": list(ids)})', 'conn.execute(text(f"SELECT {ids}"))',
            (f"{RULES}::test_no_statement_is_put_together_from_what_comes_in",)),
    Defence("template injection", "pages escape", "web/rendering.py", "autoescape=True", "autoescape=False",
            (f"{ATTACKS}::test_nothing_that_anybody_wrote_is_run_on_any_page",
             f"{RULES}::test_every_template_escapes_and_what_is_marked_safe_is_known")),
    Defence("template injection", "letters escape", "notifications/rendering.py",
            'autoescape=select_autoescape(["html"], default=False)', "autoescape=False",
            (f"{ATTACKS}::test_nothing_that_anybody_wrote_is_markup_in_a_letter",)),
    Defence("header injection", "a header is one line", "notifications/wording.py",
            '    printable = text if text.isprintable() else "".join(sign if sign.isprintable() else " " for sign in text)\n'
            '    line = " ".join(printable.split())\n', "    line = text\n",
            ("tests/shell/test_rendering.py::test_neither_subject_nor_name_can_add_a_header",)),
    Defence("header injection", "a way back stays on this site", "web/desk_page.py",
            '    return path.startswith("/") and not path.startswith("//") and "\\\\" not in path and path.isprintable()\n',
            "    return True\n", (f"{SIGN_IN}::test_signing_in_leads_to_no_other_site",)),
    Defence("CSV formula", "no cell is a formula", "reports/table.py",
            "isinstance(cell, str) and cell.startswith(_FORMULA)", "isinstance(cell, str) and not cell",
            (f"{ATTACKS}::test_no_cell_of_any_export_is_a_formula",)),
    Defence("log injection", "a log line is one line", "config/logging.py",
            "    return value if plain else _visible(json.dumps(value, ensure_ascii=False))\n", "    return value\n",
            (f"{MORE}::test_nobody_writes_a_second_line_into_the_log",)),
    Defence("SSRF", "few modules talk to another machine", "cases/member_pages.py",
            "from __future__ import annotations\n", "from __future__ import annotations\n\nimport httpx as httpx\n",
            (f"{RULES}::test_few_modules_talk_to_another_machine_and_none_where_somebody_typed",)),
    Defence("SSRF", "an address that a request names is believed nowhere", "web/app.py",
            "redirect_slashes=False)", "redirect_slashes=True)",
            (f"{ATTACKS}::test_where_a_request_says_it_was_sent_to_is_believed_nowhere",)),
    Defence("ReDoS", "no pattern can be made to search for ever", "web/posted.py", 'r"-?\\d{1,15}"', 'r"-?(\\d+)+"',
            (f"{RULES}::test_no_pattern_can_be_made_to_search_for_ever",)),
    Defence("zip bomb", "a table that unpacks to far too much is refused", "members/uploads.py",
            "> LARGEST_UNPACKED:", "> LARGEST_UNPACKED * 1000:",
            (f"{ATTACKS}::test_a_workbook_that_unpacks_to_far_too_much_is_not_kept",)),
    Defence("zip bomb", "a form that unpacks to far too much is refused", "cases/xlsform/workbook.py",
            "> LARGEST_UNPACKED:", "> LARGEST_UNPACKED * 1000:", ("tests/shell/test_xlsform.py::test_bombs_are_not_unpacked",)),
    Defence("XML bomb", "a form brings no entities", "cases/xlsform/workbook.py",
            "                if any(mark in inside for mark in _DOCTYPES):\n", "                if False:\n",
            ("tests/shell/test_xlsform.py::test_bombs_are_not_unpacked",)),
    Defence("XML bomb", "a table brings no entities", "members/spreadsheets.py",
            "        if not DEFUSEDXML:\n", "        if False:\n",
            (f"{MORE}::test_a_workbook_is_read_only_by_what_refuses_entities",)),
    Defence("oversized", "a request is read as far as the limit", "web/limits.py",
            "            if seen > self._most:\n", "            if False:\n",
            (f"{MORE}::test_a_body_that_says_nothing_of_its_size_is_read_as_far_as_the_limit",)),
    Defence("oversized", "a form has so many fields", "web/posted.py",
            "max_files=50, max_fields=MOST_FIELDS, max_part_size=LONGEST_PART",
            "max_files=50, max_fields=10**9, max_part_size=10**9",
            (f"{ATTACKS}::test_a_form_of_endless_fields_parts_or_names_is_refused_early",)),
    Defence("oversized", "JSON is nested so deep", "web/api/requests.py",
            "        if depth(found) > DEEPEST:\n", "        if False:\n",
            (f"{MORE}::test_json_that_is_nested_too_deep_is_refused",)),
    Defence("link entropy", "a link has 128 bits that nobody knows", "notifications/links.py",
            "_SIGNATURE = 16", "_SIGNATURE = 4", (f"{MORE}::test_every_key_has_more_bits_than_can_be_guessed",)),
    Defence("link entropy", "a link is signed for its purpose", "notifications/links.py",
            'b"muster.link\\0" + purpose.encode() + b"\\0"', 'b"muster.link\\0" + b"\\0"',
            ("tests/shell/test_links.py::test_a_link_for_one_purpose_does_not_serve_another",)),
    Defence("link revocation", "a revoked link is old", "notifications/links.py",
            "    if link.epoch != epochs(conn, [link.case_id])[link.case_id]:\n", "    if False:\n",
            ("tests/pages/test_links_pages.py::test_a_revoked_link_is_old_everywhere_below_it",)),
    Defence("link revocation", "a link to a password is used once", "web/accounts/password_links.py",
            "    if conn.execute(claimed).rowcount != 1:\n", "    if conn.execute(claimed).rowcount > 1:\n",
            (f"{MORE}::test_of_two_who_use_a_link_at_once_one_chooses_the_password",)),
    Defence("timing", "an unknown address costs as much", "web/accounts/passwords.py",
            "_HASHER.verify(kept or _nobodys(), password) and kept is not None",
            "kept is not None and _HASHER.verify(kept, password)",
            ("tests/shell/test_passwords.py::test_a_hash_is_worked_out_for_who_has_none_as_well",)),
    Defence("timing", "keys are compared in constant time", "web/csrf.py",
            'hmac.compare_digest(signature.encode("utf-8", "replace"), expected.encode())', "signature == expected",
            (f"{RULES}::test_keys_are_compared_in_constant_time",)),
    Defence("timing", "whether an address is known is looked up after the answer", "web/visitors/links.py",
            "    response.background = BackgroundTask(ask_for_links, visit.env, typed, now=visit.now)\n",
            "    ask_for_links(visit.env, typed, now=visit.now)\n",
            (f"{ATTACKS}::test_whether_an_address_is_known_is_looked_up_after_the_answer",)),
    Defence("secrets", "logs have no passwords and addresses", "config/logging.py",
            '    return _MAIL_ADDRESS.sub("***@", _URL_PASSWORD.sub(r"\\g<before>***", text))\n', "    return text\n",
            ("tests/shell/test_config.py::test_no_password_and_no_mail_address_reaches_the_log",)),
    Defence("secrets", "a failing statement says nothing it was given", "config/database.py",
            "        hide_parameters=True,", "        hide_parameters=False,",
            (f"{ATTACKS}::test_what_a_failing_statement_was_given_is_not_said",)),
    Defence("secrets", "Prefect keeps no reason of a failure", "workflows/flows.py",
            '        raise FlowFailed(f"{type(error).__name__}.") from None\n', "        raise\n",
            ("tests/flows/test_flows.py::test_what_broke_a_flow_is_in_our_log_and_not_in_prefects",)),
    Defence("secrets", "a letter is shown without its keys", "cases/reading_mail.py",
            "    subject, text, html = (links.without_keys(part) for part in words)\n", "    subject, text, html = words\n",
            (f"{ATTACKS}::test_no_colleague_reads_the_key_of_a_personal_link_in_a_letter",)),
    Defence("dependencies", "every package is pinned", "constraints.txt", "jinja2==", "jinja2-other==",
            (f"{RULES}::test_every_package_is_pinned_and_installed_in_that_version",)),
    Defence("source rules", "the rules of bandit are on", "pyproject.toml", '"DTZ", "S", ', '"DTZ", ',
            (f"{RULES}::test_the_rules_of_bandit_are_on_and_each_exception_says_why",)),
    Defence("source rules", "no shell is started", "workflows/children.py",
            "                start_new_session=True,\n", "                start_new_session=True,\n                shell=True,\n",
            (f"{RULES}::test_no_program_is_started_through_a_shell_and_few_are_at_all",)),
    Defence("database role", "the desk cannot rewrite the record", "config/roles.py",
            '    "case_events": "SI",', '    "case_events": "SIUD",',
            (f"{ROLES}::test_no_statement_of_the_desk_rewrites_a_record",)),
    Defence("database role", "the desk makes no tables", "config/roles.py",
            '    yield sql.SQL("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {}").format(name)\n',
            '    yield sql.SQL("GRANT CREATE ON SCHEMA public TO {}").format(name)\n',
            (f"{ROLES}::test_no_statement_of_the_desk_changes_what_the_database_is",)),
    Defence("database role", "the flows read no secrets of the desk", "config/roles.py",
            '    "installation": "S", "alembic_version": "S",',
            '    "staff_passwords": "S", "installation": "S", "alembic_version": "S",',
            (f"{ROLES}::test_the_flows_read_no_secret_of_the_desk",)),
    Defence("database role", "the desk serves under its role", "web/__main__.py",
            "open_environment(settings, role=WEB)", "open_environment(settings)",
            (f"{ATTACKS}::test_addresses_are_not_logged_and_only_a_proxy_beside_us_is_believed",)),
    Defence("looks", "a look at a restricted case is noted", "cases/permissions.py",
            "    looked_at_case(row, ref_of(ref), actor=actor)\n", "",
            (f"{LOOKS}::test_no_way_to_a_restricted_case_leaves_no_trace",)),
    Defence("looks", "a copy that is taken away is noted", "web/desk_page.py",
            "        looked_at(EXPORT, name=name, actor=self.actor)\n", "        return\n",
            (f"{LOOKS}::test_no_way_to_a_restricted_case_leaves_no_trace",)),
    Defence("looks", "what cannot be noted is not shown", "web/looks.py", "            return False\n", "            return True\n",
            (f"{LOOKS}::test_what_cannot_be_written_down_is_not_shown",)),
    Defence("looks", "a look is neither changed nor forgotten", "cases/looking/tables.py",
            "  RAISE EXCEPTION 'Who looked is kept as it was written: % on % is refused.', TG_OP, TG_TABLE_NAME;\n",
            "  RETURN coalesce(NEW, OLD);\n",
            (f"{LOOKS}::test_a_look_is_neither_changed_nor_forgotten_whoever_asks",)),
    Defence("looks", "nobody is told who looked at a case about themselves", "cases/looking/store.py",
            "        return or_(RestrictedView.case_ref.is_(None), ~exists().where(this, walled))\n",
            "        return or_(RestrictedView.case_ref.is_(None), ~exists().where(this, walled), seen, ~seen)\n",
            (f"{LOOKS}::test_nobody_is_told_who_looked_at_a_case_about_themselves",)),
    Defence("looks", "a mail of a restricted case is noted", "cases/inbox/lists.py",
            "        looked_at_case(row, row.ref, what=LETTER, name=f\"inbox {number}\", actor=viewer)\n", "        return\n",
            (f"{LOOKS}::test_no_way_to_a_restricted_case_leaves_no_trace",)),
    Defence("looks", "a search quotes nothing that is restricted", "cases/lists/searching.py",
            "where(CaseRow.id.in_(ids), not_(guarded()))", "where(CaseRow.id.in_(ids))",
            (f"{LOOKS}::test_a_search_finds_a_restricted_case_and_quotes_nothing_of_it",)),
    Defence("backup", "what a backup says of itself is checked", "cases/copies/manifest.py",
            'Field(max_length=300, pattern=r"^[ -~]*$")', "Field()",
            (f"{FORGED}::test_what_a_backup_says_of_itself_is_checked_before_it_is_used",)),
    Defence("backup", "a file of a backup is what its name says", "cases/copies/restoring.py",
            "        if digest != backup.parts[name][1]:\n", "        if False:\n",
            (f"{FORGED}::test_a_file_that_is_not_what_its_name_says_is_put_nowhere",)),
    Defence("backup", "the key of another installation stays", "cases/copies/restoring.py",
            "    if key is not None and take_key:\n", "    if key is not None:\n",
            (f"{FORGED}::test_the_key_of_another_installation_and_of_the_environment_stay",)),
    Defence("secrets", "a password in an address is told nowhere", "config/database.py",
            '    if "@" in (parsed.host or ""):', '    if not parsed.drivername:',
            (f"{FORGED}::test_a_password_in_an_address_is_told_nowhere",)),
)  # fmt: skip


def missing(root: Path = REPOSITORY) -> list[str]:
    """Return the defences whose text is not where it should be exactly once."""
    return [f"{each.name}: {each.file}" for each in DEFENCES if (root / each.file).read_text().count(each.text) != 1]


@contextmanager
def a_copy() -> Iterator[Path]:
    """Yield a copy of the source, with what it needs beside it."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "main"
        shutil.copytree(REPOSITORY, root, ignore=NOT_COPIED)
        yield root


@dataclass(frozen=True)
class Result:
    """What came of taking one out."""

    defence: Defence
    red: bool
    seconds: float
    said: str


def without(defence: Defence, root: Path) -> Result:
    """Take a defence out of a copy of the source, run its tests, put it back, and return what came of it."""
    path = root / defence.file
    whole = path.read_text()
    assert whole.count(defence.text) == 1, f"{defence.name}: its text is no longer in {defence.file}"
    path.write_text(whole.replace(defence.text, defence.instead))
    began = time.monotonic()
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--tb=line", *defence.tests]
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "MUSTER_"))}
    try:
        done = subprocess.run(
            command, cwd=root, env={**env, "PYTHONDONTWRITEBYTECODE": "1"}, capture_output=True, text=True, timeout=600
        )
    finally:
        path.write_text(whole)
    # 1 says that tests failed; 2 to 5, that none was run as it should.
    return Result(
        defence, done.returncode == 1 and " failed" in done.stdout, time.monotonic() - began, done.stdout[-1500:]
    )


def main(names: Collection[str]) -> int:
    """Take out all of them, or those named, print the table, and return the exit status."""
    green = 0
    print("| item | defence | test that turns red | after |\n|---|---|---|---|")  # noqa: T201  a table for people
    with a_copy() as root:
        for defence in DEFENCES:
            if names and not any(name in f"{defence.item}: {defence.name}" for name in names):
                continue
            found = without(defence, root)
            test = defence.tests[0].partition("::")[2]
            after = f"{found.seconds:.0f} s" if found.red else "**stays green**"
            print(f"| {defence.item} | {defence.name} | `{test}` | {after} |", flush=True)  # noqa: T201
            if not found.red:
                green += 1
                print(found.said, file=sys.stderr, flush=True)  # noqa: T201
    return 1 if green else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
