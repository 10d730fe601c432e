"""How integration records and their comparison with Epic's read."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from config_portal import wording
from config_portal.models import FhirEndpoint
from config_portal.records import IntegrationRecord
from config_portal.services.drift import DriftReport, FieldReport, Finding

_TAGS = {Finding.SAME: ("ok", "Same"), Finding.DIFFERS: ("bad", "Differs"), Finding.MISSING: ("warn", "Not pasted")}


@dataclass(frozen=True)
class FieldComparison:
    """One field of a comparison."""

    report: FieldReport

    @property
    def tone(self) -> str:
        """The tone of :attr:`words`."""
        return _TAGS[self.report.finding][0]

    @property
    def words(self) -> str:
        """The finding in words."""
        return _TAGS[self.report.finding][1]

    @property
    def is_different(self) -> bool:
        """Whether both values are worth showing side by side."""
        return self.report.finding == Finding.DIFFERS

    @cached_property
    def expected(self) -> list[wording.Segment]:
        """What it has to be, with the words that Epic lacks marked."""
        return wording.segments(self.report.expected, self.report.found)

    @cached_property
    def found(self) -> list[wording.Segment]:
        """What Epic has, with the words that do not belong there marked."""
        return wording.segments(self.report.found, self.report.expected)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The report of a comparison."""

    report: DriftReport

    @property
    def title(self) -> str:
        """The outcome in a sentence."""
        title = self.report.record.title
        if self.report.is_same:
            return f"{title}: Epic has just what was approved"
        count = self.report.differing
        return f"{title}: {count} of {len(self.report.fields)} fields need a look"

    @property
    def tone(self) -> str:
        """The tone of :attr:`title`."""
        return "ok" if self.report.is_same else "warn"

    @property
    def fields(self) -> list[FieldComparison]:
        """The fields, one after the other."""
        return [FieldComparison(field) for field in self.report.fields]


@dataclass(frozen=True, kw_only=True)
class RecordsPage:
    """The Review page of one endpoint."""

    endpoint: FhirEndpoint
    records: Sequence[IntegrationRecord]
    is_draft_different: bool

    @property
    def is_approved(self) -> bool:
        """Whether the records follow from an approval."""
        return self.endpoint.approved_version is not None

    @property
    def status(self) -> str:
        """Where the records come from."""
        version = self.endpoint.approved_version
        return f"Version {version.number}" if version else "Not approved yet"

    @property
    def tone(self) -> str:
        """The tone of :attr:`status`."""
        return "ok" if self.is_approved else "info"

    @property
    def lead(self) -> str:
        """Who approved what the records say."""
        version = self.endpoint.approved_version
        if version is None:
            return "What Epic needs before the approval. The records for visits appear here after it."
        return f"What to type into Epic, as {version.approved_by} approved it"
