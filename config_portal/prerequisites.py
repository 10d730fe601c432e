"""What has to be in place before a hospital sets the connector up; each is confirmed by the administrator."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Prerequisite:
    """One line of the checklist, in a full sentence that a person can confirm."""

    key: str
    label: str
    help: str


PREREQUISITES = (
    Prerequisite(
        key="teams_licences",
        label="Providers have Microsoft Teams, and the organizing account has a Teams licence",
        help="Patients need neither a licence nor an account.",
    ),
    Prerequisite(
        key="entra_application",
        label="An application for the connector exists in Microsoft Entra, with admin consent for its permissions",
        help="docs/teams-admin-guide.md lists the permissions.",
    ),
    Prerequisite(
        key="epic_version",
        label="Epic is the version of November 2021 or later, with Interconnect reachable from the connector",
        help="SMART on FHIR with R4 is used.",
    ),
    Prerequisite(
        key="epic_analyst",
        label="An Epic analyst can sign in to the test and the production Epic and approve there",
        help="The same person may be administrator and analyst.",
    ),
)
