"""What every report needs of a request."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils import timezone

from accounts.models import Role
from config_portal.requests import PortalRequest
from reports.forms import AskForm
from reports.models import ReportSettings, SavedView
from reports.presenters.address import Address
from reports.presenters.columns import Reader, Row
from reports.presenters.letter import SUBJECTS, path_of
from reports.presenters.meanings import status_meanings
from reports.presenters.privacy import Privacy
from reports.presenters.report import Kind, RowTable, lead, tabs_of
from reports.presenters.visit_columns import USUAL, VISIT_ROWS
from reports.services import refreshing, saved_views, visits
from reports.services.asked import Asked
from reports.services.visits import ReportedVisit

READERS = (Role.ADMIN, Role.SUPPORT, Role.REPORT_READER)
# Who may open the timeline of a visit, and so may see the numbers that Epic knows it by.
_OPENERS = frozenset({Role.ADMIN, Role.SUPPORT})

_MENU = 12  # saved views in the menu; the others stand on their page


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A request for a report, understood."""

    asked: Asked
    address: Address
    form: AskForm
    reader: Reader
    privacy: Privacy
    now: datetime
    may_change: bool
    saved: Sequence[SavedView]

    def context(self, tab: str) -> dict[str, Any]:
        """Return what the frame of every report shows."""
        return {
            "tab": tab,
            "tabs": tabs_of(self.address, tab),
            "lead": lead(self.asked, refreshing.as_of()),
            "form": self.form,
            "carried": self.address.hidden(but=self.form.fields),
            "clear_url": self.address.path,
            "privacy": self.privacy,
            "query": self.address.query,
            "subject": SUBJECTS[SavedView.Tab(tab)],
            "saved": [(view.name, path_of(view)) for view in self.saved],
            "settings_url": reverse("reports:settings") if self.may_change else "",
            "status_meanings": [] if tab in {"sms", "quality"} else status_meanings(),
        }

    def table(
        self,
        kind: Kind[Row],
        rows: Callable[[str, int], Iterable[Row]],
        *,
        usual: Sequence[str],
        count: int,
    ) -> RowTable[Row] | None:
        """Return a page of rows; None for a reader who may see none.

        :param rows: gives the rows of an order and of a page.
        :param usual: the columns that are shown unless others are chosen. :param count: how many rows there are.
        """
        if self.privacy.hides_rows:
            return None
        return RowTable(
            kind=kind,
            rows=list(rows(self.address.get("sort") or kind.order.newest_first, self.address.page)),
            columns=kind.columns.chosen(self.address.listed("columns"), usual=usual),
            address=self.address,
            reader=self.reader,
            count=count,
        )

    def visits(self, tab: str, *, count: int) -> RowTable[ReportedVisit] | None:
        """Return the table of visits of a tab."""

        def rows(sort: str, number: int) -> list[ReportedVisit]:
            return visits.page_of(self.asked, sort=sort, number=number)

        return self.table(VISIT_ROWS, rows, usual=USUAL[tab], count=count)


def scene(request: PortalRequest, *, statuses: Iterable[tuple[str, str]]) -> Scene:
    """Understand a request.

    :param statuses: value and label of what may be chosen as status.
    """
    now = timezone.now()
    form = AskForm(request.GET, organization=request.organization, statuses=statuses, now=now)
    asked = form.asked()
    return Scene(
        asked=asked,
        address=Address.of(request.path, request.GET),
        form=form,
        reader=Reader(zone=asked.zone, may_open=bool(_OPENERS & request.roles)),
        privacy=privacy_of(request),
        now=now,
        may_change=Role.ADMIN in request.roles,
        saved=list(saved_views.visible_to(request.user, request.organization)[:_MENU]),
    )


def privacy_of(request: PortalRequest) -> Privacy:
    """Return what the person may be told: staff who may open visits see every number."""
    if _OPENERS & request.roles:
        return Privacy()
    chosen_by = ReportSettings.objects.filter(organization=request.organization)
    return Privacy(chosen_by.values_list("smallest_shown", flat=True).first() or 0)
