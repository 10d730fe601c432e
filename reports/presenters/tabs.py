"""The charts and figures of each tab."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from config_portal.models import FhirEndpoint
from reports.definitions import COUNTED, Status
from reports.presenters.address import Address
from reports.presenters.charts import Chart, Series
from reports.presenters.columns import clock
from reports.presenters.meanings import DASH, FIGURES, STATUSES, TEXTS
from reports.presenters.privacy import Privacy
from reports.presenters.report import places, together, unit_of_time, with_toggles
from reports.services.allocation import MonthUsage
from reports.services.asked import Asked
from reports.services.figures import By, Figures, Grouped, Measure
from reports.services.texts import SENT

_MEDIAN, _P90 = 0.5, 0.9


@dataclass(frozen=True, kw_only=True)
class Stat:
    """One number above the chart."""

    label: str
    value: str
    note: str
    href: str = ""


def share(part: float | None) -> str:
    """Write a share of a whole: ``87%``."""
    return DASH if part is None else f"{part * 100:.0f}%"


# --- Virtual appointments -----------------------------------------------------------------------------------------
def appointment_stats(figures: Figures, address: Address, privacy: Privacy) -> list[Stat]:
    """Return how many visits there were and how they went; each number leads to its rows."""
    wanted = (
        Status.COMPLETED, Status.PATIENT_NO_SHOW, Status.PROVIDER_NO_SHOW, Status.WAITED_ALONE,
        Status.TECHNICAL_FAILURE,
    )  # fmt: skip
    first = Stat(
        label="Visits", value=privacy.count(figures.visits), note=FIGURES["visits"], href=_rows(address, status="")
    )
    return [first, *(_status_stat(status, figures, address, privacy) for status in wanted)]


def _status_stat(status: str, figures: Figures, address: Address, privacy: Privacy) -> Stat:
    label, _, _, meaning = STATUSES[status]
    count = figures.by_status[status]
    return Stat(label=label, value=privacy.count(count), note=meaning, href=_rows(address, status=status))


def _rows(address: Address, **changed: str) -> str:
    return f"{address.changed(**changed)}#rows"


def appointment_chart(by_day: Grouped, asked: Asked, address: Address, privacy: Privacy) -> Chart:
    """Return visits by day and how they went."""
    axis = places(asked.period)
    counts = [together(by_day, days).by_status for _, days in axis]
    return Chart(
        title="Virtual appointments by day and status",
        labels=[label for label, _ in axis],
        series=_stacked(counts, COUNTED, STATUSES, address, privacy),
        unit_of_time=unit_of_time(asked.period),
    )


def _stacked(
    counts: Sequence[Counter[str]],
    keys: Sequence[str],
    words: dict[str, tuple[str, str, int, str]],
    address: Address,
    privacy: Privacy,
) -> list[Series]:
    series = [
        Series(
            key=str(key),
            label=words[key][0],
            place=words[key][2],
            values=[privacy.drawn(count[key]) for count in counts],
        )
        for key in keys
    ]
    return with_toggles(series, address, usual=[one.key for one in series])


# --- Duration ------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, kw_only=True)
class _Length:
    """A kind of average or percentile, and over how many visits or people it is."""

    key: str
    label: str
    place: int
    of: Callable[[Figures], float | None]
    over: Callable[[Figures], int]
    note: str


def _percentile(measure: str, at: float) -> Callable[[Figures], float | None]:
    return lambda figures: figures.percentile(measure, at)


def _completed(figures: Figures) -> int:
    return figures.completed


def _waited(figures: Figures) -> int:
    return figures.sums["lobby_waits"]


def _people(figures: Figures) -> int:
    return figures.sums["own_waits"]


_LENGTHS = (
    _Length(
        key="average",
        label="Average duration",
        place=1,
        of=lambda figures: figures.average_duration,
        over=_completed,
        note="Of completed visits. " + FIGURES["duration"],
    ),
    _Length(
        key="median",
        label="Median duration",
        place=5,
        of=_percentile(Measure.DURATION, _MEDIAN),
        over=_completed,
        note="Half of the completed visits are shorter. Exact to within 1%.",
    ),
    _Length(
        key="p90",
        label="Duration, p90",
        place=4,
        of=_percentile(Measure.DURATION, _P90),
        over=_completed,
        note="Nine of ten completed visits are shorter. Exact to within 1%.",
    ),
    _Length(
        key="wait",
        label="Average lobby wait",
        place=2,
        of=lambda figures: figures.average_lobby_wait,
        over=_waited,
        note=FIGURES["lobby_wait"],
    ),
    _Length(
        key="wait_p90",
        label="Lobby wait, p90",
        place=3,
        of=_percentile(Measure.LOBBY_WAIT, _P90),
        over=_waited,
        note="In nine of ten visits somebody was let in sooner. Exact to within 1%.",
    ),
    _Length(
        key="own",
        label="Median own wait",
        place=6,
        of=_percentile(Measure.OWN_WAIT, _MEDIAN),
        over=_people,
        note=FIGURES["own_wait"],
    ),
)
_USUAL_LENGTHS = ("average", "wait")


def duration_stats(figures: Figures, privacy: Privacy) -> list[Stat]:
    """Return how long visits and waits were."""
    return [
        Stat(label=one.label, value=privacy.of(one.over(figures), clock(one.of(figures))), note=one.note)
        for one in _LENGTHS
    ]


def duration_chart(by_day: Grouped, asked: Asked, address: Address, privacy: Privacy) -> Chart:
    """Return lengths by day."""
    axis = places(asked.period)
    found = [together(by_day, days) for _, days in axis]
    series = [
        Series(
            key=one.key,
            label=one.label,
            place=one.place,
            values=[None if privacy.hides(one.over(figures)) else _minutes(one.of(figures)) for figures in found],
        )
        for one in _LENGTHS
    ]
    return Chart(
        title="Minutes by day",
        labels=[label for label, _ in axis],
        series=with_toggles(series, address, usual=_USUAL_LENGTHS),
        write=lambda minutes: f"{minutes:.1f}".removesuffix(".0") + " min",
        is_stacked=False,
        unit_of_time=unit_of_time(asked.period),
    )


def _minutes(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds / 60, 2)


# --- EHR -----------------------------------------------------------------------------------------------------------
BREAKDOWNS = {By.ENDPOINT: "FHIR endpoint", By.DEPARTMENT: "Department", By.VISIT_TYPE: "Visit type"}
BREAKDOWN_HEADS = (
    ("Visits", FIGURES["visits"]),
    *((STATUSES[status][0], STATUSES[status][3]) for status in COUNTED if status != Status.IN_PROGRESS),
    ("Completed, share", "Of the visits that are over."),
    ("Average duration", FIGURES["duration"]),
    ("Median duration", FIGURES["percentiles"]),
    ("Average lobby wait", FIGURES["lobby_wait"]),
)


@dataclass(frozen=True, kw_only=True)
class BreakdownRow:
    """One endpoint, department or visit type."""

    name: str
    url: str
    cells: Sequence[str]


def breakdown(
    grouped: Grouped, by: By, endpoints: Sequence[FhirEndpoint], address: Address, privacy: Privacy
) -> list[BreakdownRow]:
    """Return a row for each value of ``by``, most visits first; its name leads to its visits."""
    names = {endpoint.pk: endpoint.name for endpoint in endpoints}
    ordered = sorted(grouped.items(), key=lambda item: (-item[1].visits, str(item[0])))
    filters = {By.ENDPOINT: "endpoint", By.DEPARTMENT: "department", By.VISIT_TYPE: "visit_type"}
    return [
        BreakdownRow(
            name=str(names.get(key, key)) or "Not told",
            url=_rows(address, **{filters[by]: str(key)}) if key else "",
            cells=_breakdown_cells(figures, privacy),
        )
        for key, figures in ordered
    ]


def _breakdown_cells(figures: Figures, privacy: Privacy) -> list[str]:
    statuses = [figures.by_status[status] for status in COUNTED if status != Status.IN_PROGRESS]
    median = figures.percentile(Measure.DURATION, _MEDIAN)
    return [
        privacy.count(figures.visits),
        *(privacy.count(count) for count in statuses),
        privacy.of(figures.completed, share(figures.completed_share)),
        privacy.of(figures.completed, clock(figures.average_duration)),
        privacy.of(figures.completed, clock(median)),
        privacy.of(figures.sums["lobby_waits"], clock(figures.average_lobby_wait)),
    ]


def ehr_stats(figures: Figures, usage: MonthUsage, address: Address, privacy: Privacy) -> list[Stat]:
    """Return visits from the EHR, and what they take of the allocation."""
    used = privacy.count(usage.completed)
    limit = f"{used} of {usage.allocation:,}" if usage.allocation is not None else used
    left = "No allocation is set." if usage.remaining is None else f"{usage.remaining:,} left."
    return [
        Stat(
            label="EHR appointments", value=privacy.count(figures.visits), note=FIGURES["visits"], href=_rows(address)
        ),
        Stat(
            label="Completed",
            value=privacy.of(figures.completed, share(figures.completed_share)),
            note="Of the visits that are over. " + STATUSES[Status.COMPLETED][3],
            href=_rows(address, status=Status.COMPLETED),
        ),
        Stat(label="This month, production", value=limit, note=f"Completed visits. {left}"),
    ]


def ehr_chart(by_day: Grouped, asked: Asked, address: Address, privacy: Privacy) -> Chart:
    """Return EHR appointments by day."""
    axis = places(asked.period)
    values = [privacy.drawn(together(by_day, days).visits) for _, days in axis]
    series = [Series(key="visits", label="EHR appointments", place=1, values=values)]
    return Chart(
        title="EHR appointments by day",
        labels=[label for label, _ in axis],
        series=with_toggles(series, address, usual=["visits"]),
        unit_of_time=unit_of_time(asked.period),
    )


# --- SMS -----------------------------------------------------------------------------------------------------------
def text_stats(outcomes: Counter[tuple[str, str]], segments: int, address: Address, privacy: Privacy) -> list[Stat]:
    """Return what became of texts, each number leading to them."""
    states: Counter[str] = Counter()
    for (state, _), count in outcomes.items():
        states[state] += count
    sent = sum(states[state] for state in SENT)
    delivered = states["delivered"]
    taken = Stat(label="Sent", value=privacy.count(sent), note="A carrier took them, whatever became of them.")
    reached = Stat(
        label="Delivered",
        value=privacy.of(sent, share(delivered / sent if sent else None)),
        note=f"{privacy.count(delivered)} of them have reached the phone, say carriers. Microsoft calls these Sent.",
        href=_rows(address, status="delivered"),
    )
    others = [
        Stat(
            label=TEXTS[state][0],
            value=privacy.count(states[state]),
            note=TEXTS[state][3],
            href=_rows(address, status=state),
        )
        for state in ("accepted", "undelivered", "failed", "unknown")
    ]
    parts = Stat(
        label="Segments",
        value=privacy.of(sent, f"{segments:,}"),
        note="Parts of the sent texts; suppliers charge by part.",
    )
    return [taken, reached, *others, parts]


def text_chart(by_day: dict[date, Counter[str]], asked: Asked, address: Address, privacy: Privacy) -> Chart:
    """Return texts by day and what became of them."""
    axis = places(asked.period)
    counts: list[Counter[str]] = []
    for _, days in axis:
        whole: Counter[str] = Counter()
        for day in days:
            whole.update(by_day.get(day, {}))
        counts.append(whole)
    return Chart(
        title="Texts by day and outcome",
        labels=[label for label, _ in axis],
        series=_stacked(counts, list(TEXTS), TEXTS, address, privacy),
        unit_of_time=unit_of_time(asked.period),
    )
