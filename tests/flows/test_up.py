"""`muster up` from outside: scheduled runs really complete, also after a power cut in the middle of one."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.post import Letterbox, letterbox

REPOSITORY = Path(__file__).resolve().parents[2]
MUSTER = [sys.executable, "-m", "cli.main"]

pytestmark = [pytest.mark.flows, pytest.mark.timeout(700)]


def wait_for(what: Callable[[], Any], seconds: float, why: str) -> Any:
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end, f"waited {seconds:.0f} s in vain: {why}"
        time.sleep(0.25)
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Home:
    """A sandbox of its own, `muster up` on it, and a look at its Prefect from outside."""

    def __init__(self, folder: Path, box: Letterbox) -> None:
        self.folder, self.port, self.web_port, self.box = folder, free_port(), free_port(), box
        self.env = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("MUSTER_", "PREFECT_"))},
            "MUSTER_HOME": str(folder),
            "MUSTER_PREFECT_PORT": str(self.port),
            "MUSTER_WEB_PORT": str(self.web_port),
            "MUSTER_SMTP_URL": box.url,
            "PYTHONUNBUFFERED": "1",
        }
        self.up: subprocess.Popen[bytes] | None = None

    def muster(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [*MUSTER, *arguments]
        return subprocess.run(command, env=self.env, cwd=REPOSITORY, capture_output=True, text=True, timeout=60)

    def does(self, *arguments: str) -> Any:
        """Run a command that must succeed, and return its JSON."""
        done = self.muster(*arguments, "--json")
        assert done.returncode == 0, f"{arguments}: {done.stderr}"
        return json.loads(done.stdout) if done.stdout.strip() else None

    def start(self) -> None:
        with (self.folder.parent / "up.out").open("ab") as out:
            self.up = subprocess.Popen(
                [*MUSTER, "up"], env=self.env, cwd=REPOSITORY, stdout=out, stderr=out, start_new_session=True
            )

    def said(self) -> str:
        return (self.folder.parent / "up.out").read_text()

    def processes(self) -> list[psutil.Process]:
        """Everything that belongs to this home, PostgreSQL included."""
        mine = []
        for process in psutil.process_iter():
            try:
                words = " ".join(process.cmdline())
                ours = str(self.folder) in words or process.environ().get("MUSTER_HOME") == str(self.folder)
                if ours and process.pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE:
                    mine.append(process)
            except psutil.Error:
                continue
        return mine

    def kill_everything(self) -> None:
        """What a power cut does: nobody gets to say anything."""
        found = self.processes()
        for process in found:
            process.suspend()  # so that none sees another die first
        for process in found:
            process.kill()
        if self.up is not None:
            self.up.wait()
        wait_for(lambda: not self.processes(), 20, "processes survive being killed")

    def runs(self, flow: str, *states: str) -> list[dict[str, Any]]:
        """Return the runs of a flow in these states, as Prefect knows them; none while it does not answer."""
        wanted = {
            "flows": {"name": {"any_": [flow]}},
            "flow_runs": {"state": {"type": {"any_": list(states)}}},
            "limit": 200,
        }
        return self.ask("POST", "flow_runs/filter", wanted) or []

    def run_now(self, deployment: str) -> Any:
        """Have a deployment run now, outside its schedule; nothing while it does not exist yet."""
        found = self.ask("GET", f"deployments/name/{deployment}")
        return found and self.ask(
            "POST", f"deployments/{found['id']}/create_flow_run", {"state": {"type": "SCHEDULED"}}
        )

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        try:
            user, _, secret = (self.folder / "prefect-password").read_text().strip().partition(":")
            url = f"http://127.0.0.1:{self.port}/api/{path}"
            answer = httpx.request(method, url, json=body, auth=(user, secret), timeout=10)
        except (OSError, httpx.HTTPError):
            return None
        return answer.json() if answer.is_success else None


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with letterbox() as box:
        made = Home(tmp_path / "home", box)
        yield made
        made.kill_everything()


def test_scheduled_runs_complete_and_invite_everybody_once_also_after_a_power_cut(
    home: Home, shared_data: Path
) -> None:
    assert home.muster("init", "--sandbox").returncode == 0
    _campaign_is_ready(home, shared_data)
    home.start()
    wait_for(lambda: home.run_now("sweep/every-minute"), 90, "Prefect knows no sweep")
    assert httpx.post(f"http://127.0.0.1:{home.port}/api/flow_runs/filter", json={}).status_code == 401
    desk = f"http://127.0.0.1:{home.web_port}"
    wait_for(lambda: _answers(f"{desk}/healthz"), 60, "the desk does not answer")
    assert "Try it as" in httpx.get(f"{desk}/sign-in").text
    second = home.muster("up")
    assert (second.returncode, "already running" in second.stderr) == (1, True)

    # The power goes while a sweep holds its slot: without care, every later one is refused for ever.
    (orphan, *_) = wait_for(lambda: home.runs("sweep", "PENDING", "RUNNING"), 90, "no sweep began")
    home.kill_everything()
    home.start()
    for flow in ("sweep", "deliver"):
        wait_for(lambda flow=flow: _completed_on_schedule(home, flow), 120, f"no {flow} completed")

    _everybody_is_chased_who_has_not_answered(home)
    assert [run["id"] for run in home.runs("sweep", "CRASHED") if run["id"] == orphan["id"]] == [orphan["id"]]
    assert json.loads(home.muster("status", "--json").stdout)["sweep"]["late"] is False
    _stops_cleanly(home)


def _answers(address: str) -> bool:
    try:
        return httpx.get(address, timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


PLAN = """
kind: survey
title: Annual self-assessment 2026
questionnaire: pulse
launch: 2026-03-02
deadline: 2026-04-17
population: {status: active}
ladder: standard
"""


def _campaign_is_ready(home: Home, shared_data: Path) -> None:
    """45 members and a campaign that two people have prepared, the evening before its launch."""
    home.does("clock", "set", "2026-03-01T20:00")
    people = (("mina", "manager"), ("amara", "coordinator"), ("sol", "senior_manager"))
    for name, role in people:
        home.does("staff", "add", f"{name}@muster.example", "--name", name.title(), "--role", role)
    columns = ("name=Organisation", "tier=Membership tier", "email=Contact e-mail (made up)")
    maps = [word for column in columns for word in ("--map", column)]
    assert home.does("members", "import", str(shared_data / "members-aswf.csv"), *maps)["created"] == 45
    plan = home.folder.parent / "plan.yaml"
    plan.write_text(PLAN)
    ref = home.does("campaigns", "plan", str(plan), "--as", "amara@muster.example")["ref"]
    mina = ("--as", "mina@muster.example", "--set")
    home.does("cases", "fire", ref, "approve_plan", *mina, "data_protection_checked=true")
    home.does("cases", "fire", ref, "skip_pilot", *mina, "reason=The questions are known")


def _everybody_is_chased_who_has_not_answered(home: Home) -> None:
    """The launch, the invitations and the first reminder are the work of scheduled runs alone."""
    home.does("clock", "set", "2026-03-02T09:05")
    wait_for(lambda: len(_members(home)) >= 45, 200, "the invitations do not leave")
    assert len(_members(home)) == len(set(_members(home))) == 45
    responses = home.does("cases", "list", "--process", "survey_response", "--limit", "100")["items"]
    answered = responses[:9]
    for line in answered:
        file = home.folder.parent / f"{line['ref']}.json"
        file.write_text(home.muster("answers", "sample", line["ref"]).stdout)
        home.does("answers", "submit", line["ref"], str(file))
    home.does("clock", "set", "2026-03-09T09:05")
    silent = {line["ref"] for line in responses[9:]}
    wait_for(lambda: set(_reminded(home)) >= silent, 200, "the first reminders do not leave")
    assert sorted(_reminded(home)) == sorted(silent), "somebody who answered is reminded, or somebody twice"


def _members(home: Home) -> list[str]:
    return [address for address, _ in home.box.mails if not address.endswith("@muster.example")]


def _reminded(home: Home) -> list[str]:
    """The responses whose member was sent a reminder."""
    sent = home.does("messages", "list", "--state", "sent", "--limit", "500")["items"]
    return [item["case"] for item in sent if item["kind"].startswith("survey_reminder")]


def _completed_on_schedule(home: Home, flow: str) -> bool:
    return any(run["auto_scheduled"] for run in home.runs(flow, "COMPLETED"))


def _stops_cleanly(home: Home) -> None:
    assert home.up is not None
    began = time.monotonic()
    home.up.send_signal(signal.SIGTERM)

    assert home.up.wait(60) == 0, home.said()
    assert time.monotonic() - began < 30
    assert home.said().rstrip().endswith("Everything has stopped.")
    wait_for(lambda: not home.processes(), 5, f"left running: {home.processes()}")
