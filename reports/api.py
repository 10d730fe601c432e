"""REST API of the reports: what a report reader sees, with the same filters. Epic's numbers of visits are not in it."""

from collections import Counter
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from config_portal.api.authentication import organization_of
from config_portal.api.base import ApiView
from config_portal.models.api_token import Scope
from core.errors import ConfigurationError
from reports.forms import AskForm
from reports.presenters import quality
from reports.presenters.columns import Reader
from reports.presenters.numbers import FIGURE_NAMES, as_json, counts_as_json, told
from reports.presenters.privacy import Privacy
from reports.presenters.report import status_choices, text_status_choices
from reports.presenters.visit_columns import VISITS
from reports.quality import Verdict
from reports.services import call_figures, choices, refreshing, texts, visits
from reports.services.asked import Asked, facts_of
from reports.services.figures import By, figures, total
from reports.services.sorting import PAGE
from reports.services.visits import ORDER

_GROUPS = {"endpoint": By.ENDPOINT, "department": By.DEPARTMENT, "visit_type": By.VISIT_TYPE}
_FILTERS = [
    OpenApiParameter("days", str, enum=["7", "30", "90", "custom"], description="The last days, 30 unless said"),
    OpenApiParameter("since", str, description="First day of a custom range, YYYY-MM-DD"),
    OpenApiParameter("until", str, description="Last day of a custom range, YYYY-MM-DD"),
    OpenApiParameter("calendar", str, enum=["local", "utc"], description="Whose midnight days begin at"),
    OpenApiParameter("endpoint", str, description="Id of a FHIR endpoint"),
    OpenApiParameter("department", str),
    OpenApiParameter("visit_type", str),
    OpenApiParameter("status", str),
    OpenApiParameter("provider", str, description="Epic's id of a clinician"),
]


class PeriodSerializer(serializers.Serializer[Any]):
    """Which days the numbers are of, and up to when they know everything."""

    first = serializers.DateField()
    last = serializers.DateField()
    time_zone = serializers.CharField()
    as_of = serializers.DateTimeField(allow_null=True)


class FiguresSerializer(serializers.Serializer[Any]):
    """Numbers of some visits; lengths in seconds, null where there is nothing to average or too few to be told."""

    visits = serializers.IntegerField(allow_null=True)
    by_status = serializers.DictField(child=serializers.IntegerField(allow_null=True))

    def get_fields(self) -> dict[str, Any]:
        """Add the averages and percentiles."""
        return {**super().get_fields(), **{name: serializers.FloatField(allow_null=True) for name in FIGURE_NAMES}}


class SummarySerializer(serializers.Serializer[Any]):
    """Numbers of a period, and of what they are told apart by."""

    period = PeriodSerializer()
    total = FiguresSerializer()
    groups = serializers.DictField(child=FiguresSerializer())


class VisitsSerializer(serializers.Serializer[Any]):
    """A page of visits; each has every column of the portal's table, lengths in seconds, times in UTC."""

    period = PeriodSerializer()
    count = serializers.IntegerField()
    page = serializers.IntegerField()
    pages = serializers.IntegerField()
    visits = serializers.ListField(child=serializers.DictField())


class TextsSerializer(serializers.Serializer[Any]):
    """What became of the texts of a period."""

    period = PeriodSerializer()
    segments = serializers.IntegerField(allow_null=True)
    by_state = serializers.DictField(child=serializers.IntegerField(allow_null=True))
    by_microsoft_status = serializers.DictField(child=serializers.IntegerField(allow_null=True))


class StreamsSerializer(serializers.Serializer[Any]):
    """How many streams were judged how; null where there are too few to be told."""

    good = serializers.IntegerField(allow_null=True)
    poor = serializers.IntegerField(allow_null=True)
    unclassified = serializers.IntegerField(allow_null=True)


class TestedSerializer(serializers.Serializer[Any]):
    """Visits whose last device test ended so in one check, and in how many a stream from outside was poor."""

    check = serializers.CharField()
    result = serializers.CharField()
    visits = serializers.IntegerField(allow_null=True)
    poor_visits = serializers.IntegerField(allow_null=True)


class CallQualitySerializer(serializers.Serializer[Any]):
    """How picture and sound were; ``due_to`` names measures, a stream may have several."""

    period = PeriodSerializer()
    visits = serializers.IntegerField(allow_null=True)
    poor_visits = serializers.IntegerField(allow_null=True)
    streams = StreamsSerializer()
    due_to = serializers.DictField(child=serializers.IntegerField(allow_null=True))
    groups = serializers.DictField(child=StreamsSerializer())
    device_tests = TestedSerializer(many=True)


class ReportView(ApiView):
    """Base of the reports."""

    scopes = {"GET": Scope.REPORTS_READ}

    def asked(self, request: Request, *, statuses: list[tuple[str, str]]) -> Asked:
        """Return what is asked for.

        :raises ValidationError: naming the filters that cannot be understood, in the words of the portal's form.
        """
        given = dict(request.query_params.items())
        form = AskForm(given, organization=organization_of(request), statuses=statuses, now=timezone.now())
        asked = form.asked()
        if form.errors:
            raise ValidationError({name: [str(text) for text in errors] for name, errors in form.errors.items()})
        return asked

    def privacy(self, request: Request) -> Privacy:
        """Return what a report reader may be told."""
        return Privacy(choices.settings_of(organization_of(request)).smallest_shown)


class SummaryView(ReportView):
    """Numbers of a period."""

    @extend_schema(
        parameters=[
            *_FILTERS,
            OpenApiParameter(
                "by", str, enum=["day", "endpoint", "department", "visit_type"], description="day unless said"
            ),
        ],
        responses=SummarySerializer,
    )
    def get(self, request: Request) -> Response:
        """Return how many visits there were, how they went and how long they and the waits were."""
        asked, privacy = self.asked(request, statuses=status_choices()), self.privacy(request)
        by = {"endpoint": By.ENDPOINT, "department": By.DEPARTMENT, "visit_type": By.VISIT_TYPE}.get(
            request.query_params.get("by", ""), By.DAY
        )
        grouped = figures(asked, by, with_sketches=True)
        groups = {
            str(key): as_json(one, privacy) for key, one in sorted(grouped.items(), key=lambda item: str(item[0]))
        }
        whole = as_json(total(grouped.values()), privacy)
        return Response({"period": period_json(asked), "total": whole, "groups": groups})


class VisitsView(ReportView):
    """The visits behind the numbers."""

    @extend_schema(
        parameters=[
            *_FILTERS,
            OpenApiParameter("page", int),
            OpenApiParameter(
                "sort", str, description=f"One of {', '.join(ORDER.columns)}; with - before it, downwards"
            ),
        ],
        responses=VisitsSerializer,
    )
    def get(self, request: Request) -> Response:
        """Return a page of visits, newest first unless said otherwise."""
        if self.privacy(request).hides_rows:
            raise ConfigurationError(
                "reports.rows_hidden", "The organization shows no single visits to report readers."
            )
        asked = self.asked(request, statuses=status_choices())
        text = request.query_params.get("page", "1")
        page = max(int(text), 1) if text.isdecimal() and len(text) < 7 else 1  # noqa: PLR2004 - a million pages
        count = facts_of(asked).count()
        reader = Reader(zone=asked.zone)
        found = visits.page_of(asked, sort=request.query_params.get("sort", ORDER.newest_first), number=page)
        rows = [{key: column.plain(row, reader) for key, column in VISITS.by_key.items()} for row in found]
        pages = max(-(-count // PAGE), 1)
        return Response({"period": period_json(asked), "count": count, "page": page, "pages": pages, "visits": rows})


class TextsView(ReportView):
    """What became of texts."""

    @extend_schema(parameters=_FILTERS[:-1], responses=TextsSerializer)
    def get(self, request: Request) -> Response:
        """Return how many texts ended how: accepted is not delivered."""
        asked, privacy = self.asked(request, statuses=text_status_choices()), self.privacy(request)
        by_state, by_status = Counter[str](), Counter[str]()
        for (state, status), count in texts.outcomes(asked).items():
            by_state[state] += count
            if status:
                by_status[status] += count
        sent = sum(by_state[state] for state in texts.SENT)
        return Response(
            {
                "period": period_json(asked),
                "segments": None if privacy.hides(sent) else texts.segments(asked),
                "by_state": counts_as_json(by_state, privacy),
                "by_microsoft_status": counts_as_json(by_status, privacy),
            }
        )


class CallQualityView(ReportView):
    """How picture and sound were."""

    @extend_schema(
        parameters=[
            *_FILTERS,
            OpenApiParameter("by", str, enum=["day", *call_figures.GROUPS], description="platform unless said"),
        ],
        responses=CallQualitySerializer,
    )
    def get(self, request: Request) -> Response:
        """Return streams by verdict, why they were poor, and what device tests foretold."""
        asked, privacy = self.asked(request, statuses=quality.status_choices()), self.privacy(request)
        by = request.query_params.get("by", "")
        found = call_figures.quality(asked, by if by in call_figures.GROUPS else "platform")
        by_day = {day.isoformat(): counts for day, counts in sorted(found.by_day.items())}
        groups = by_day if by == "day" else found.groups
        return Response(
            {
                "period": period_json(asked),
                "visits": told(found.visits, privacy),
                "poor_visits": told(found.poor_visits, privacy),
                "streams": _streams_json(found.streams, privacy),
                "due_to": counts_as_json(found.due_to, privacy),
                "groups": {name: _streams_json(counts, privacy) for name, counts in groups.items()},
                "device_tests": [_tested_json(one, privacy) for one in found.tests],
            }
        )


def _streams_json(counts: Counter[str], privacy: Privacy) -> dict[str, int | None]:
    return counts_as_json({str(verdict): counts[verdict] for verdict in Verdict}, privacy)


def _tested_json(one: call_figures.TestedVisits, privacy: Privacy) -> dict[str, Any]:
    return {
        "check": one.check,
        "result": one.result,
        "visits": told(one.visits, privacy),
        "poor_visits": told(one.poor_visits, privacy),
    }


def period_json(asked: Asked) -> dict[str, Any]:
    """Return the days the numbers are of."""
    period = asked.period
    return {"first": period.first, "last": period.last, "time_zone": asked.zone.key, "as_of": refreshing.as_of()}
