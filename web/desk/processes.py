"""How cases move: the handbook, made from the definitions, with how many cases are in each state now."""

from __future__ import annotations

from starlette.responses import Response

from cases.lists.state_counts import open_by_state
from notifications import catalogue
from state_machines.registry import process_named, processes
from web import handbook
from web.access import STAFF
from web.desk_page import Desk
from web.routing import Pages

pages = Pages(may=STAFF)


@pages.get("/processes", statements=7)
def all_processes(desk: Desk) -> Response:
    """The processes, what each is for, and how many cases are open."""
    counts = open_by_state(desk.env, actor=desk.actor, now=desk.now)
    found = [
        (each, handbook.first_paragraph(each), sum(n for (name, _), n in counts.items() if name == each.name))
        for each in processes().values()
    ]
    return desk.page("desk/processes.html", title="Processes", found=found)


@pages.get("/processes/{name}", statements=7)
def one_process(desk: Desk, name: str) -> Response:
    """One process: its states, who may do what, its clocks and letters. Raises UnknownProcess."""
    process = process_named(name)
    counts = open_by_state(desk.env, process.name, actor=desk.actor, now=desk.now)
    titles = {kind.kind: kind.title for kind in catalogue.kinds()}
    html = handbook.page(process, desk.env.policy, titles)
    return desk.page(
        "desk/process.html", title=process.title, process=process, html=html, sections=handbook.sections(html),
        counts=[(state, counts.get((process.name, state.name), 0)) for state in process.states if not state.final],
    )  # fmt: skip
