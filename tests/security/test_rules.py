"""Rules about the source that keep whole kinds of holes out. Ruff's S rules (those of bandit) are on besides."""

from __future__ import annotations

import ast
import re
import re._parser as sre
from collections.abc import Callable, Iterator
from functools import cache
from importlib import metadata
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.test_folders import PYPROJECT, REPOSITORY, in_repository, modules

TREES = {in_repository(path): ast.parse(path.read_text()) for path in modules()}
TEMPLATES = sorted(
    [*(REPOSITORY / "web/templates").rglob("*.html"), *(REPOSITORY / "notifications/templates").rglob("*")]
)
Rule = Callable[[ast.AST], bool]

MAY_CALL_OUT = {
    "web/accounts/oidc.py": "the OpenID provider that the settings name",
    "notifications/inbox/imap.py": "the mailbox that the settings name",
    "notifications/patience.py": "the same mail server, slowly",
    "notifications/smtp.py": "the mail server that the settings name",
    "workflows/supervisor.py": "its own Prefect, on this machine",
    "workflows/work_pool.py": "the Prefect server that the settings name",
}
"""Modules that talk to another machine, each with whom; none takes an address from what somebody typed."""
CALLS_OUT = {
    "httpx",
    "httpx2",
    "requests",
    "urllib.request",
    "http.client",
    "aiohttp",
    "ftplib",
    "smtplib",
    "imaplib",
    "telnetlib",
    "socketserver",
    "xmlrpc",
    "paramiko",
    "imap_tools",
    "authlib.integrations.httpx_client",
}
MARKED_SAFE = {
    "document.html": "the text of a document, from Markdown in which HTML is text",
    "signing_pieces.html": "the same, for who signs it",
}
"""Templates in which something goes out as it is, each with why that is right."""
MADE_AS_MARKUP = {
    "web/wording.py": "digits and names of days",
    "web/diagrams.py": "a drawing of ours; what is put into it is escaped",
    "web/handbook.py": "our own handbook, from Markdown in which HTML is text",
}
MAY_START_PROGRAMS = {
    "cli/process.py": "draws a process",
    "config/postgres.py": "starts the embedded PostgreSQL",
    "workflows/children.py": "starts the parts of Muster",
}


def name_of(node: ast.AST) -> str:
    """Return the dotted name that is called, as far as it has one."""
    if isinstance(node, ast.Call):
        return name_of(node.func)
    if isinstance(node, ast.Attribute):
        return f"{name_of(node.value)}.{node.attr}".lstrip(".")
    return node.id if isinstance(node, ast.Name) else ""


def found(rule: Rule) -> list[str]:
    """Return every place in what is shipped that a rule is about."""
    return [
        f"{name}:{node.lineno}"
        for name, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.expr | ast.stmt) and rule(node)
    ]


def typed_into(node: ast.AST) -> bool:
    """Whether a text is put together from anything that is no constant of its module, written in capitals."""
    if isinstance(node, ast.JoinedStr):
        parts = (part.value for part in node.values if isinstance(part, ast.FormattedValue))
        return any(not _constant(part) for part in parts)
    if isinstance(node, ast.BinOp):
        return any(
            typed_into(each)
            or not (isinstance(each, ast.Constant) or _constant(each) or isinstance(each, ast.BinOp | ast.JoinedStr))
            for each in (node.left, node.right)
        )
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format"


def _constant(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id.isupper()


NAMES_OF_TABLES = {
    "cases/rehearsing/copying.py": "names of tables and columns, read from the database's own catalogue",
    "cases/consistency.py": "texts of the module",
    "cases/promises.py": "texts of the module",
    "cases/copies/": "names of tables and columns, read from the database's own catalogue",
    "config/dumping.py": "the same",
}
"""Modules whose statements hold names put in; none of them comes from outside."""


def sql_put_together(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and name_of(node) in {"text", "sa.text", "sqlalchemy.text", "conn.exec_driver_sql", "sql.SQL"}
        and bool(node.args)
        and typed_into(node.args[0])
    )


def test_no_statement_is_put_together_from_what_comes_in() -> None:
    assert [at for at in found(sql_put_together) if not at.startswith(tuple(NAMES_OF_TABLES))] == []


FORBIDDEN = {
    "pickle.loads",
    "pickle.load",
    "marshal.loads",
    "shelve.open",
    "yaml.load",
    "yaml.unsafe_load",
    "eval",
    "exec",
    "os.system",
    "os.popen",
    "tempfile.mktemp",
    "ssl._create_unverified_context",
    "random.choice",
    "random.random",
    "random.randint",
    "hashlib.md5",
    "hashlib.sha1",
    "jinja2.Template",
    "from_string",
}


SAFE_AFTER_ALL = {"config/policy/__init__.py": "yaml.load with a safe loader, in C where there is one"}


def test_nothing_is_called_that_runs_what_it_is_given_or_guesses_badly() -> None:
    called = found(
        lambda node: (
            isinstance(node, ast.Call) and (name_of(node) in FORBIDDEN or name_of(node).endswith(".from_string"))
        )
    )
    assert [at for at in called if at.partition(":")[0] not in SAFE_AFTER_ALL] == []


def test_no_program_is_started_through_a_shell_and_few_are_at_all() -> None:
    shells = found(lambda node: isinstance(node, ast.Call) and any(word.arg == "shell" for word in node.keywords))
    programs = found(lambda node: isinstance(node, ast.Call) and name_of(node).startswith("subprocess."))
    assert shells == []
    assert {at.partition(":")[0] for at in programs} <= set(MAY_START_PROGRAMS)


def imported(tree: ast.AST) -> Iterator[str]:
    """Yield what a module imports, each as a dotted name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_few_modules_talk_to_another_machine_and_none_where_somebody_typed() -> None:
    calling = {name for name, tree in TREES.items() if not CALLS_OUT.isdisjoint(imported(tree))}
    assert calling <= set(MAY_CALL_OUT)


def test_every_template_escapes_and_what_is_marked_safe_is_known() -> None:
    environments = found(
        lambda node: (
            isinstance(node, ast.Call)
            and name_of(node) in {"Environment", "jinja2.Environment"}
            and any(word.arg == "loader" for word in node.keywords)
        )
    )
    escaping = found(
        lambda node: (
            isinstance(node, ast.Call)
            and any(
                word.arg == "autoescape" and not (isinstance(word.value, ast.Constant) and word.value.value is False)
                for word in node.keywords
            )
        )
    )
    assert environments and set(environments) <= set(escaping)
    marked = {
        path.name
        for path in TEMPLATES
        if path.is_file() and re.search(r"\|\s*safe\b|autoescape\s+false", path.read_text())
    }
    assert marked <= set(MARKED_SAFE)


def test_markup_is_made_from_what_was_escaped() -> None:
    made = found(
        lambda node: (
            isinstance(node, ast.Call)
            and name_of(node).split(".")[-1] == "Markup"
            and bool(node.args)
            and not isinstance(node.args[0], ast.Constant)
        )
    )
    assert {at.partition(":")[0] for at in made} <= set(MADE_AS_MARKUP)


LOGS = {"debug", "info", "warning", "error", "exception", "critical"}
TELLTALE = re.compile(
    r"payload|password|token|secret|email|address|body|content|phone|answers|personal\b", re.IGNORECASE
)


def tells(node: ast.AST) -> bool:
    """Whether a log line is given something that may hold what people wrote, or a key."""
    if not (
        isinstance(node, ast.Call) and name_of(node).split(".")[0] == "log" and name_of(node).split(".")[-1] in LOGS
    ):
        return False
    return any(TELLTALE.search(ast.unparse(each)) for each in node.args[1:])


def test_no_log_line_is_given_what_people_wrote() -> None:
    assert found(tells) == []


@pytest.mark.parametrize(
    ("rule", "source"),
    [
        (sql_put_together, 'text(f"SELECT {column} FROM cases")'),
        (sql_put_together, 'text("SELECT " + column)'),
        (sql_put_together, 'text("SELECT {}".format(column))'),
        (tells, 'log.info("sent to %s", contact.email)'),
        (tells, 'log.exception("failed over %s", payload)'),
    ],
)
def test_what_the_rules_are_about_is_noticed(rule: Rule, source: str) -> None:
    assert any(rule(node) for node in ast.walk(ast.parse(source)))


# ------------------------------------------------------------------------------------------------ what is installed


def pinned() -> dict[str, str]:
    """Return the version of each package that may be installed."""
    lines = (REPOSITORY / "constraints.txt").read_text().splitlines()
    pairs = (line.split("#")[0].split(";")[0].strip().split("==") for line in lines if "==" in line.split("#")[0])
    return {canonicalize_name(name): version for name, version in pairs}


@cache
def wanted() -> frozenset[str]:
    """Return the packages that Muster and its tests need, those that they need in turn among them."""
    project = PYPROJECT["project"]
    waiting = [Requirement(each) for each in (*project["dependencies"], *project["optional-dependencies"]["dev"])]
    known: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        each = waiting.pop()
        key = (canonicalize_name(each.name), frozenset(each.extras))
        if key in known or not applies(each, frozenset()):
            continue
        known.add(key)
        for text in metadata.requires(each.name) or ():
            inner = Requirement(text)
            if applies(inner, frozenset(each.extras)):
                waiting.append(inner)
    return frozenset(name for name, _ in known)


def applies(requirement: Requirement, extras: frozenset[str]) -> bool:
    """Whether a requirement is one here, with these extras of what asks for it."""
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in (*extras, ""))


def test_every_package_is_pinned_and_installed_in_that_version() -> None:
    pins = pinned()
    unpinned = sorted(name for name in wanted() if name not in pins)
    other = {name: metadata.version(name) for name in wanted() if name in pins and metadata.version(name) != pins[name]}
    assert (unpinned, other) == ([], {})


LICENCES = re.compile(
    r"MIT|BSD|Apache|ISC|PSF|Python Software|MPL|Mozilla|LGPL|Lesser|Unlicense|Zlib|HPND|0BSD|CC0|Public Domain"
    r"|PostgreSQL|GPL",
    re.IGNORECASE,
)


LICENCE_IN_ITS_REPOSITORY = {"axe-playwright-python", "pyxform"}
"""MIT and BSD; they bring the text as a file and do not name it."""


def test_every_package_says_under_which_licence_it_is() -> None:
    silent = []
    for name in sorted(wanted() - LICENCE_IN_ITS_REPOSITORY):
        about = metadata.metadata(name)
        told = [about.get("License-Expression") or "", about.get("License") or "", *(about.get_all("Classifier") or ())]
        if not LICENCES.search(" ".join(told)):
            silent.append(name)
    assert silent == []


def test_the_rules_of_bandit_are_on_and_each_exception_says_why() -> None:
    assert "S" in PYPROJECT["tool"]["ruff"]["lint"]["select"]
    bare = [
        f"{name}:{n}"
        for name in TREES
        for n, line in enumerate((REPOSITORY / name).read_text().splitlines(), 1)
        if re.search(r"# noqa: S\d+\s*$", line)
    ]
    assert bare == []


# ------------------------------------------------------------------------------------------------ patterns and keys


def _certain(item: Any) -> bool:
    """Whether an item is one of a few certain signs, such as a hyphen or an apostrophe, or holds one."""
    kind, value = item
    if kind is sre.SUBPATTERN:
        return any(_certain(each) for each in value[-1])
    return kind is sre.LITERAL or (kind is sre.IN and all(each is sre.LITERAL for each, _ in value))


def nested(parsed: Any, inside: bool = False) -> bool:
    """Whether a pattern repeats without end what repeats without end, with nothing certain in between."""
    for kind, value in parsed:
        if kind in (sre.MAX_REPEAT, sre.MIN_REPEAT):
            _, most, body = value
            endless = most is sre.MAXREPEAT
            certain = any(_certain(each) for each in body)
            if endless and inside:
                return True
            if nested(body, (inside or endless) and not certain):
                return True
        elif kind is sre.SUBPATTERN:
            if nested(value[-1], inside):
                return True
        elif kind is sre.BRANCH:
            if any(nested(each, inside) for each in value[1]):
                return True
        elif kind in (sre.ASSERT, sre.ASSERT_NOT) and nested(value[1], inside):
            return True
    return False


PATTERNS = {f"re.{name}" for name in ("compile", "match", "search", "fullmatch", "sub", "split", "findall", "finditer")}


def patterns() -> Iterator[tuple[str, str]]:
    """Yield every pattern that is written down, with its place."""
    for name, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and name_of(node) in PATTERNS and node.args:
                first = node.args[0]
                verbose = any(re.search(r"\bre\.(X|VERBOSE)\b", ast.unparse(each)) for each in node.args[1:])
                if isinstance(first, ast.Constant) and isinstance(first.value, str) and not verbose:
                    yield f"{name}:{node.lineno}", first.value


def test_no_pattern_can_be_made_to_search_for_ever() -> None:
    found = list(patterns())
    assert len(found) > 80
    assert [f"{at} {pattern}" for at, pattern in found if nested(sre.parse(pattern))] == []


@pytest.mark.parametrize("pattern", [r"(a+)+b", r"(\w+\s?)*$", r"(?:x*)*", r"([a-z]+)*@"])
def test_a_pattern_that_searches_for_ever_is_noticed(pattern: str) -> None:
    assert nested(sre.parse(pattern))


KEYS = re.compile(r"^(token|signature|digest|mac|secret|csrf|state|nonce|key_sha256|token_sha256)$")
GUARDED = ("web/csrf.py", "web/access.py", "web/accounts/", "notifications/links.py", "notifications/address_tags.py",
           "notifications/sealing.py", "cases/own/links.py")  # fmt: skip


def compares_keys(node: ast.AST) -> bool:
    """Whether two keys are compared with ``==``, which tells by its time how much of them is the same."""
    if not (isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq | ast.NotEq)):
        return False
    return any(KEYS.match(name_of(each).split(".")[-1]) for each in (node.left, *node.comparators))


def test_keys_are_compared_in_constant_time() -> None:
    in_sql = re.compile(r"select|where|update|delete|bindparam|==\s*sha256\(|_encoded\(raw\) != token")
    found_at = [at for at in found(compares_keys) if at.startswith(GUARDED)]
    plain = [
        at
        for at in found_at
        if not in_sql.search(
            (REPOSITORY / at.rpartition(":")[0]).read_text().splitlines()[int(at.rpartition(":")[2]) - 1]
        )
    ]
    assert plain == []
