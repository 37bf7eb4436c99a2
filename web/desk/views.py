"""Saved views: keeping the filters of a list under a name, sharing, pinning, renaming, deleting and taking back."""

from __future__ import annotations

from starlette.responses import Response

from cases.errors import BadInput
from cases.lists.narrowing import narrow_from
from web import saved_views
from web.access import STAFF
from web.desk import filters
from web.desk_page import Desk, DeskPage
from web.posted import Form, number_of
from web.routing import Pages

pages = Pages(may=STAFF)


@pages.get("/views", statements=6)
def views(desk: Desk) -> Response:
    """The views one has saved, and those that others share."""
    return _shown(desk)


def _shown(desk: DeskPage, error: str | None = None, about: int | None = None) -> Response:
    gone = number_of(desk.request.query_params.get("deleted", ""))
    every = saved_views.views_of(desk.env, desk.person.id)
    return desk.page(
        "desk/views.html", title="Saved views", status=422 if error else 200, error=error, about=about,
        mine=[view for view in every if view.owner_id == desk.person.id],
        shared=[view for view in every if view.owner_id != desk.person.id],
        gone=saved_views.deleted_view(desk.env, gone, desk.person.id) if gone is not None else None,
        said={view.id: _said(view, desk) for view in every},
        owners={view.owner_id: _name(view.owner_id, desk) for view in every},
    )  # fmt: skip


def _said(view: saved_views.View, desk: DeskPage) -> str:
    """What a view asks for, in words."""
    narrow = narrow_from(dict(filters.parsed(view.query)))
    words = [chip.words for chip in filters.chips(view.page, narrow, desk.staffing)]
    return ", ".join([{"/queue": "My queue"}.get(view.page, "All cases"), *words])


def _name(staff_id: int, desk: DeskPage) -> str:
    person = desk.staffing.get(staff_id)
    return person.name if person else "somebody"


@pages.post("/views")
def save(desk: Desk, posted: Form) -> Response:
    """Keep the filters of a list under a name."""
    page, narrow = posted.text("page"), narrow_from(dict(filters.parsed(posted.text("query"))))
    try:
        saved_views.save(
            desk.env, posted.text("name"), page, filters.address("", narrow).removeprefix("?"),
            shared=posted.yes("shared"), pin=posted.yes("pin"), staff_id=desk.person.id, now=desk.now,
        )  # fmt: skip
    except BadInput as refused:
        return _shown(desk, str(refused))
    return desk.see_other(filters.address(page, narrow), f"The view “{posted.text('name').strip()}” is saved.")


@pages.post("/views/{view_id}")
def change(desk: Desk, posted: Form, view_id: int) -> Response:
    """Rename a view, and share it or not."""
    try:
        saved_views.change(
            desk.env, view_id, name=posted.text("name"), shared=posted.yes("shared"), staff_id=desk.person.id
        )
    except BadInput as refused:
        return _shown(desk, str(refused), view_id)
    return desk.see_other("/views", "The view is changed.")


@pages.post("/views/{view_id}/pin")
def pin(desk: Desk, posted: Form, view_id: int) -> Response:
    """Have a view above one's lists, or not any more."""
    pinned = posted.yes("pinned")
    saved_views.pin(desk.env, view_id, pinned=pinned, staff_id=desk.person.id)
    return desk.see_other("/views", "The view stands above your lists now." if pinned else "The view is not pinned.")


@pages.post("/views/{view_id}/delete")
def remove(desk: Desk, view_id: int) -> Response:
    """Delete a view of one's own."""
    saved_views.remove(desk.env, view_id, staff_id=desk.person.id, now=desk.now)
    return desk.see_other(f"/views?deleted={view_id}")


@pages.post("/views/{view_id}/restore")
def restore(desk: Desk, view_id: int) -> Response:
    """Take a deleted view back."""
    try:
        saved_views.restore(desk.env, view_id, staff_id=desk.person.id)
    except BadInput as refused:
        return _shown(desk, str(refused))
    return desk.see_other("/views", "The view is back.")
