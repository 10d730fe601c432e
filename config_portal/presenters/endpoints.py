"""What staff pages say about an organization's connections to Epic."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.urls import reverse

from config_portal.doctor import CheckResult, Outcome, SetupCheck
from config_portal.models import FhirEndpoint, PreflightRun
from config_portal.services.preview import Preview
from core.moments import ago

_TONES = {Outcome.PASSED: "ok", Outcome.FAILED: "bad", Outcome.SKIPPED: "neutral"}


@dataclass(frozen=True)
class EndpointRow:
    """A FHIR endpoint as a row of a table."""

    endpoint: FhirEndpoint
    run: PreflightRun | None = None

    @property
    def url(self) -> str:
        """Its own page."""
        return reverse("portal:endpoint", args=[self.endpoint.pk])

    @property
    def environment_tone(self) -> str:
        """The colour that goes with the environment's written name."""
        return "bad" if self.endpoint.is_production else "warn"

    @property
    def status(self) -> str:
        """Where the connection stands, in words."""
        if self.endpoint.is_paused:
            return "Paused"
        return "Approved" if self.endpoint.approved_version else "Needs approval"

    @property
    def status_tone(self) -> str:
        """The tone of :attr:`status`."""
        return {"Approved": "ok", "Paused": "warn"}.get(self.status, "info")

    @property
    def approval(self) -> str:
        """Who approved what runs, or who is to approve."""
        version, approver = self.endpoint.approved_version, self.endpoint.approver_username
        if version:
            return f"Version {version.number}, approved by {version.approved_by}"
        return f"Approver {approver}" if approver else "No approver named"

    @property
    def check(self) -> str:
        """How the last pre-flight check ended."""
        if self.run is None:
            return "Not checked yet"
        if self.run.state != PreflightRun.State.FINISHED:
            return "Running"
        if self.run.failed:
            return f"{self.run.failed} of {self.run.failed + self.run.passed} failed"
        return f"All {self.run.passed} passed"

    @property
    def check_tone(self) -> str:
        """The tone of :attr:`check`."""
        if self.run is None:
            return "neutral"
        if self.run.state != PreflightRun.State.FINISHED:
            return "info"
        return "bad" if self.run.failed else "ok"


@dataclass(frozen=True)
class EndpointPage:
    """Everything about one FHIR endpoint."""

    endpoint: FhirEndpoint
    run: PreflightRun | None
    now: datetime

    @property
    def row(self) -> EndpointRow:
        """Its states in words."""
        return EndpointRow(self.endpoint, self.run)

    @property
    def address(self) -> list[dict[str, object]]:
        """The address, and what the server said about itself when it was last asked."""
        kept = self.endpoint.discovered or {}
        server, smart = kept.get("server", {}), kept.get("smart", {})
        facts = (
            ("Organization", server.get("organization")),
            ("Software", server.get("software")),
            ("FHIR version", server.get("fhir_version")),
            ("Issuer", smart.get("issuer")),
            ("Authorization endpoint", smart.get("authorization_endpoint")),
            ("Token endpoint", smart.get("token_endpoint")),
        )
        rows: list[dict[str, object]] = [{"label": label, "value": str(value)} for label, value in facts if value]
        return [{"label": "FHIR base URL", "value": self.endpoint.base_url, "copy": True}, *rows]

    @property
    def is_discovered(self) -> bool:
        """Whether the server ever answered."""
        return bool(self.endpoint.discovered)

    @property
    def discovered_ago(self) -> str:
        """How old :attr:`discovered` is."""
        moment = self.endpoint.discovered_at
        return f"As the server described itself {ago(moment, now=self.now)} ago" if moment else ""

    @property
    def apps(self) -> list[dict[str, object]]:
        """The three apps in Epic and where Epic finds our keys."""
        endpoint = self.endpoint
        ids = (
            ("Provider app", endpoint.provider_client_id),
            ("Patient app", endpoint.patient_client_id),
            ("Backend app", endpoint.backend_client_id),
        )
        address = settings.PUBLIC_URL + reverse("portal:jwks", args=[endpoint.launch_id])
        return [
            *({"label": label, "value": value or "Missing", "copy": bool(value)} for label, value in ids),
            {"label": "Signature", "value": endpoint.get_assertion_algorithm_display()},
            {"label": "JWK Set URL", "value": address, "copy": True},
        ]

    @property
    def visits(self) -> list[tuple[str, str]]:
        """Which appointments are visits, and when they open."""
        endpoint = self.endpoint
        return [
            ("Approver", endpoint.approver_username or "Missing"),
            ("Time zone", endpoint.time_zone.replace("_", " ")),
            ("Telehealth visit types", ", ".join(endpoint.visit_types) or "None, so no visit is a telehealth visit"),
            ("Departments", ", ".join(endpoint.departments) or "All"),
            (
                "Joining",
                f"From {endpoint.join_opens_minutes} min before to {endpoint.join_closes_minutes} min after the visit",
            ),
            ("Pages that may frame the visit", ", ".join(endpoint.frame_ancestors) or "None"),
        ]


@dataclass(frozen=True)
class PreviewLine:
    """One thing that was looked at."""

    check: SetupCheck
    result: CheckResult

    @property
    def tone(self) -> str:
        """How it went."""
        return _TONES[self.result.outcome]


@dataclass(frozen=True)
class PreviewCard:
    """What was found at an address."""

    preview: Preview

    @property
    def title(self) -> str:
        """The finding in one line."""
        server = self.preview.server
        if self.preview.is_right:
            return (server.organization or server.software) if server else "The address is right"
        problems = sum(line.result.outcome == Outcome.FAILED for line in self.lines)
        return "1 thing is wrong with this address" if problems == 1 else f"{problems} things are wrong"

    @property
    def tone(self) -> str:
        """The tone of :attr:`title`."""
        return "ok" if self.preview.is_right else "bad"

    @property
    def lines(self) -> list[PreviewLine]:
        """Everything that was looked at."""
        return [PreviewLine(check, result) for check, result in self.preview.lines]

    @property
    def facts(self) -> list[tuple[str, str]]:
        """What the server says about itself."""
        server, smart = self.preview.server, self.preview.smart
        facts = [
            ("Organization", server.organization if server else ""),
            ("Software", server.software if server else ""),
            ("FHIR version", server.fhir_version if server else ""),
            ("Token endpoint", smart.token_endpoint if smart else ""),
        ]
        return [(label, value) for label, value in facts if value]
