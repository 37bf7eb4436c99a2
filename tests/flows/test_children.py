"""The processes `muster up` watches: started again when they die, gone when it ends, one set for each home."""

import os
import signal
import smtplib
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from config.settings import load_settings
from workflows import children, prefect_settings
from workflows.children import Child, rotate
from workflows.only_one import AlreadyRunning, holder, only_one

REPOSITORY = Path(__file__).resolve().parents[2]


def wait_for(what: Callable[[], bool], seconds: float = 15) -> bool:
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def a_child(folder: Path, program: str, **changes: object) -> Child:
    made = Child("a child", [sys.executable, "-c", program], dict(os.environ), folder, folder / "child.log")
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def test_a_child_that_dies_is_started_again_after_a_growing_pause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(children, "monotonic", lambda: now)
    child = a_child(tmp_path, "raise SystemExit(3)")
    pauses = []
    for _ in range(8):
        assert child.start_when_ready()
        assert wait_for(lambda: child.process is not None and child.process.poll() is not None)
        assert child.ended() == 3
        began = now
        while not child.start_when_ready():
            now += 0.5
        pauses.append(now - began)
        child.stop()
        child._not_before = 0

    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]


def test_a_child_waits_until_it_may_start(tmp_path: Path) -> None:
    child = a_child(tmp_path, "pass", may_start=lambda: False)

    assert not child.start_when_ready()
    assert not child.running


def test_what_a_child_says_goes_to_its_log_and_it_is_asked_nothing(tmp_path: Path) -> None:
    child = a_child(tmp_path, "import sys; print('said', repr(sys.stdin.read()))")
    child.start_when_ready()

    assert wait_for(lambda: child.ended() == 0)
    assert (tmp_path / "child.log").read_text() == "said ''\n"


def test_a_child_that_does_not_want_to_stop_is_ended_with_what_it_started(tmp_path: Path) -> None:
    program = (
        "import signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "print(subprocess.Popen(['sleep', '600']).pid, flush=True); time.sleep(600)"
    )
    child = a_child(tmp_path, program, stop_seconds=0.3)
    child.start_when_ready()
    assert wait_for(lambda: (tmp_path / "child.log").read_text().endswith("\n"))
    grandchild = int((tmp_path / "child.log").read_text())

    child.stop()

    assert not child.running
    assert wait_for(lambda: not _alive(grandchild))


def test_children_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    program = (
        "import os, sys, time; from pathlib import Path; from workflows.children import Child\n"
        "folder = Path(sys.argv[1])\n"
        "child = Child('x', ['sleep', '600'], dict(os.environ), folder, folder / 'log')\n"
        "child.start_when_ready(); print(child.process.pid, flush=True); time.sleep(600)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=REPOSITORY
    )
    assert parent.stdout is not None
    with parent.stdout:
        number = int(parent.stdout.readline())
    assert _alive(number)

    parent.kill()
    parent.wait()

    assert wait_for(lambda: not _alive(number))


def _alive(number: int) -> bool:
    try:
        return psutil.Process(number).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_log_that_has_grown_is_kept_aside_while_its_writer_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    for round_ in range(5):
        with log.open("a") as writer:
            writer.write(f"round {round_}" + " " * 20)
            writer.flush()
            rotate(log, longest=10)
            writer.write("after")
    kept = {path.name: path.read_text()[:12].strip() for path in tmp_path.iterdir()}

    assert kept == {"x.log": "after", "x.log.1": "afterround 4", "x.log.2": "afterround 3", "x.log.3": "afterround 2"}


def test_a_short_log_stays(tmp_path: Path) -> None:
    (tmp_path / "x.log").write_text("short")
    rotate(tmp_path / "x.log")
    rotate(tmp_path / "never.log")

    assert [path.name for path in tmp_path.iterdir()] == ["x.log"]


# ----------------------------------------------------------------------------------------------- only one


def test_a_home_has_one_that_runs(tmp_path: Path) -> None:
    with only_one(tmp_path):
        assert holder(tmp_path) == os.getpid()
        with pytest.raises(AlreadyRunning, match=rf"already running .*process {os.getpid()}.*muster stop$"):
            only_one(tmp_path).__enter__()

    assert holder(tmp_path) is None


def test_one_that_was_killed_leaves_its_home_free(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from workflows.only_one import only_one\n"
        "with only_one(Path(sys.argv[1])): print('in', flush=True); time.sleep(600)"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=REPOSITORY
    )
    assert other.stdout is not None
    with other.stdout:
        other.stdout.readline()
    assert holder(tmp_path) == other.pid
    other.send_signal(signal.SIGKILL)
    other.wait()

    assert holder(tmp_path) is None
    with only_one(tmp_path):
        assert holder(tmp_path) == os.getpid()


# ------------------------------------------------------------------------------------------------ settings


def test_a_taken_port_is_passed_over() -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        wanted = taken.getsockname()[1]

        assert prefect_settings.free_port(wanted) > wanted


def test_prefect_gets_its_own_home_and_password_and_nobody_elses_settings(tmp_path: Path) -> None:
    settings = load_settings({"MUSTER_HOME": str(tmp_path)})
    env = prefect_settings.environment(settings, 4444, {"PREFECT_PROFILE": "cloud", "PATH": "/bin"})

    assert "PREFECT_PROFILE" not in env
    assert env["PREFECT_HOME"] == str(tmp_path / "prefect")
    assert env["PREFECT_API_URL"] == "http://127.0.0.1:4444/api"
    assert env["PREFECT_API_AUTH_STRING"] == env["PREFECT_SERVER_API_AUTH_STRING"]
    assert env["PREFECT_API_AUTH_STRING"] == prefect_settings.password(settings)
    assert prefect_settings.password_file(settings).stat().st_mode & 0o777 == 0o600


def test_prefect_knows_every_setting_that_it_is_given() -> None:
    from prefect.settings import Settings as PrefectSettings

    def names(model: type, prefix: str = "") -> set[str]:
        found = set()
        for name, field in model.model_fields.items():  # type: ignore[attr-defined]
            inner = field.annotation
            if hasattr(inner, "model_fields"):
                found |= names(inner, f"{prefix}{name}_")
            found.add(f"PREFECT_{prefix}{name}".upper())
        return found

    known = names(PrefectSettings)
    given = {name for name in prefect_settings.FIXED if name.startswith("PREFECT_")}

    assert given <= known


# ---------------------------------------------------------------------------------------------------- mail


def test_the_mail_catcher_keeps_every_mail_as_a_file(tmp_path: Path) -> None:
    port = prefect_settings.free_port(20000 + os.getpid() % 20000)
    command = [sys.executable, "-m", "workflows.mail_catcher", str(port), str(tmp_path / "mail")]
    catcher = subprocess.Popen(command, cwd=REPOSITORY)
    try:
        assert wait_for(lambda: _sent(port))
        (kept,) = (tmp_path / "mail").iterdir()
    finally:
        catcher.terminate()
        catcher.wait(10)

    assert kept.suffix == ".eml"
    assert b"Subject: Hello" in kept.read_bytes()


def _sent(port: int) -> bool:
    try:
        with smtplib.SMTP("127.0.0.1", port, timeout=5) as client:
            client.sendmail("a@example.org", ["b@example.org"], "Subject: Hello\r\n\r\nText\r\n")
    except OSError:
        return False
    return True
