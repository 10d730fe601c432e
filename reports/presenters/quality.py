"""The Call quality tab in words."""

from collections import Counter
from collections.abc import Mapping, Sequence

from launch.models import DeviceTest
from reports.presenters.address import Address
from reports.presenters.charts import Chart, Series
from reports.presenters.meanings import DASH
from reports.presenters.privacy import Privacy
from reports.presenters.report import places, unit_of_time, with_toggles
from reports.presenters.tabs import Stat, share
from reports.quality import Verdict
from reports.services.asked import Asked
from reports.services.call_figures import Quality, TestedVisits

# Label, tone, place in the palette, meaning.
VERDICTS: dict[str, tuple[str, str, int, str]] = {
    Verdict.GOOD: ("Good", "ok", 1, "Every measure is within its threshold."),
    Verdict.POOR: (
        "Poor",
        "bad",
        3,
        "Audio: any measure beyond its threshold; picture: the first there is.",
    ),
    Verdict.UNCLASSIFIED: ("Unclassified", "neutral", 7, "Teams measured nothing that could be judged."),
}
REASONS = {
    "jitter_ms": "Jitter (ms)",
    "round_trip_ms": "Round trip (ms)",
    "packet_loss": "Packet loss (0 to 1)",
    "concealed_ratio": "Concealed samples (0 to 1)",
    "audio_degradation": "Audio degradation",
    "frame_loss": "Video frames lost (%)",
    "frame_rate": "Video frame rate",
    "post_fec_loss": "Loss after error correction (0 to 1)",
}
GROUP_LABELS = {
    "department": "Department", "platform": "Platform", "product": "Teams or browser", "network": "Network",
    "kind": "Kind of stream",
}  # fmt: skip
# How platforms and networks are written that call records name in small letters.
_WRITTEN = {
    "windows": "Windows",
    "android": "Android",
    "linux": "Linux",
    "wifi": "Wi-Fi",
    "wired": "Cable",
    "mobile": "Mobile network",
}
_NO_RECORDS = "Teams writes call records some time after a call and keeps them 30 days."
MEANINGS = [
    ("Stream", "Audio, video or shared screen between one person and Teams, in one direction."),
    *((label, meaning) for label, _, _, meaning in VERDICTS.values()),
    ("Poor due to", "Which measures were beyond their thresholds; a stream may have several."),
    ("Thresholds", "Those of Microsoft's Call Quality Dashboard, unless Report settings say otherwise."),
    ("Device test", "The patient's last test before the visit; trouble is a poor stream of somebody from outside."),
]


def trouble(error_code: str) -> tuple[str, str]:
    """Return title and text for call records that cannot be fetched; empty where they can."""
    if not error_code:
        return "", ""
    if error_code == "graph.permission_missing":
        todo = "A Microsoft 365 admin grants the application permission CallRecords.Read.All and gives consent."
        return "Microsoft Graph does not let the connector read call records", f"{todo} Until then no calls are added."
    return "Call records could not be fetched the last time", f"They are looked for again every hour ({error_code})."


def quality_stats(found: Quality, address: Address, privacy: Privacy) -> list[Stat]:
    """Return how many visits had trouble, and streams by verdict."""
    judged = found.streams[Verdict.GOOD] + found.streams[Verdict.POOR]
    poor_share = found.poor_visits / found.visits if found.visits else None
    return [
        Stat(label="Visits with call records", value=privacy.count(found.visits), note=_NO_RECORDS),
        Stat(
            label="Visits with a poor stream",
            value=privacy.of(found.visits, share(poor_share)),
            note=f"{privacy.count(found.poor_visits)} visits in which at least one stream was poor.",
            href=f"{address.changed(status=Verdict.POOR)}#rows",
        ),
        Stat(
            label="Good streams",
            value=privacy.of(judged, share(found.streams[Verdict.GOOD] / judged if judged else None)),
            note=f"Of {privacy.count(judged)} streams that could be judged.",
        ),
        Stat(label="Poor due to", value=_worst(found.due_to), note="The commonest reason why a stream was poor."),
    ]


def _worst(due_to: Counter[str]) -> str:
    common = due_to.most_common(1)
    return REASONS[common[0][0]].partition(" (")[0] if common else DASH


def quality_chart(found: Quality, asked: Asked, address: Address, privacy: Privacy) -> Chart:
    """Return streams by day and verdict."""
    axis = places(asked.period)
    counts = [sum((found.by_day.get(day, Counter()) for day in days), Counter()) for _, days in axis]
    series = [
        Series(
            key=str(verdict), label=label, place=place, values=[privacy.drawn(count[str(verdict)]) for count in counts]
        )
        for verdict, (label, _, place, _) in VERDICTS.items()
    ]
    return Chart(
        title="Streams by day and verdict",
        labels=[label for label, _ in axis],
        series=with_toggles(series, address, usual=[one.key for one in series]),
        unit_of_time=unit_of_time(asked.period),
    )


def written_name(name: str) -> str:
    """Return how a platform or network is written."""
    return _WRITTEN.get(name, name)


def group_rows(grouped: Mapping[str, Counter[str]], privacy: Privacy) -> list[tuple[str, list[str]]]:
    """Return a row for each value, most streams first: good, poor, unclassified, share of poor."""
    rows = []
    for name, counts in sorted(grouped.items(), key=lambda item: (-item[1].total(), item[0])):
        judged = counts[Verdict.GOOD] + counts[Verdict.POOR]
        poor = share(counts[Verdict.POOR] / judged if judged else None)
        cells = [privacy.count(counts[str(verdict)]) for verdict in VERDICTS]
        rows.append((written_name(name) or "Not told", [*cells, privacy.of(judged, poor)]))
    return rows


def reason_rows(due_to: Counter[str], privacy: Privacy) -> list[tuple[str, str]]:
    """Return why streams were poor, commonest first."""
    return [(REASONS[reason], privacy.count(count)) for reason, count in due_to.most_common()]


def test_rows(found: Sequence[TestedVisits], privacy: Privacy) -> list[tuple[str, str, str, str]]:
    """Return check, result, visits and how many of them then had trouble."""
    labels = DeviceTest.Result
    return [
        (
            one.check.capitalize(),
            str(labels(one.result).label),
            privacy.count(one.visits),
            privacy.of(one.visits, share(one.share)),
        )
        for one in found
    ]


def status_choices() -> list[tuple[str, str]]:
    """Return what calls can be looked for by."""
    return [(str(verdict), f"With {label.lower()} streams") for verdict, (label, *_) in VERDICTS.items()]
