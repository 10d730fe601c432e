"""From the code of an error to what a person reads: cause, who mends it, how."""

from typing import NamedTuple

from config_portal.doctor import CheckResult, Fixer, failed
from core.errors import ConnectorError

_SYSTEMS = {"epic": "Epic", "graph": "Microsoft Graph", "entra": "Microsoft Entra", "connector": "The connector"}


class Explanation(NamedTuple):
    """What a code means: ``cause`` may name ``{system}``, and stays empty where the error says it better."""

    cause: str
    who: str
    todo: str = ""


# The message of the error comes first where it has one; these fill in the rest.
_BY_CODE = {
    "http.address_refused": Explanation(
        "The address leads to a network that the connector may not call.",
        Fixer.OPERATOR,
        "If the server is inside the hospital, add its network to OUTBOUND_ALLOWED_NETWORKS.",
    ),
    "http.not_https": Explanation(
        "The address does not begin with https://.", Fixer.ADMIN, "Enter the address with https://."
    ),
    "epic.base_url_invalid": Explanation("This is no web address.", Fixer.ADMIN),
    "epic.base_url_suffix": Explanation(
        "The address lacks its FHIR version.", Fixer.ADMIN, "Add /api/FHIR/R4 at the end."
    ),
    "epic.discovery_incomplete": Explanation(
        "The server does not say where its OAuth 2.0 server is.",
        Fixer.ANALYST,
        "Check the FHIR base URL, and that OAuth 2.0 is set up on this Interconnect.",
    ),
    "epic.discovery_unsafe": Explanation(
        "Epic names an OAuth address that is not secure.",
        Fixer.ANALYST,
        "Correct the OAuth 2.0 addresses of this Interconnect to https.",
    ),
    "epic.invalid_client": Explanation(
        "Epic does not accept the client id or the key.",
        Fixer.ANALYST,
        "New keys take Epic up to 24 hours. After that, check the JWK Set URL and the client id in Epic.",
    ),
    "endpoint.client_id_missing": Explanation(
        "A client id is missing.", Fixer.ADMIN, "Enter the client ids of the three apps."
    ),
    "keys.missing": Explanation(
        "There are no keys in this environment yet.", Fixer.OPERATOR, "Authorize the organization for this environment."
    ),
    "keys.unusable": Explanation(
        "A stored key cannot be used.", Fixer.OPERATOR, "Check ENCRYPTION_KEYS, or rotate the keys."
    ),
    "tls.unreachable": Explanation(
        "No connection to this host and port.",
        Fixer.NETWORK,
        "Check the host name in the address, and allow outgoing TCP 443 from the connector to it.",
    ),
    "tls.failed": Explanation("The TLS handshake failed.", Fixer.NETWORK, "Allow TLS 1.2 or later on the FHIR server."),
    "tls.expired": Explanation("", Fixer.NETWORK, "Renew the certificate of the FHIR server."),
    "tls.not_yet_valid": Explanation("", Fixer.NETWORK, "Check the clocks of both servers."),
    "tls.wrong_name": Explanation(
        "", Fixer.NETWORK, "Use the name in the certificate, or have one issued for this name."
    ),
    "tls.untrusted": Explanation(
        "", Fixer.NETWORK, "Install a certificate of a public authority together with its intermediate certificates."
    ),
    "entra.credentials_refused": Explanation("", Fixer.ADMIN),
    "entra.credentials_missing": Explanation("", Fixer.ADMIN, "Make a certificate on the page Microsoft Teams."),
    "teams.not_configured": Explanation("", Fixer.ADMIN, "Fill in the page Microsoft Teams."),
    "graph.access_policy_missing": Explanation("", Fixer.TEAMS_ADMIN),
    "graph.permission_missing": Explanation("", Fixer.ADMIN),
    "graph.token_refused": Explanation("", Fixer.ADMIN, "Give admin consent to the application again."),
}
_BY_ENDING = {
    "unreachable": Explanation(
        "No connection to {system}.",
        Fixer.NETWORK,
        "Check the host name, and allow outgoing TCP 443 from the connector to it.",
    ),
    "no_answer": Explanation(
        "{system} did not answer in time.",
        Fixer.NETWORK,
        "Try again. If it repeats, look for a firewall or proxy that holds the connection.",
    ),
    "too_large": Explanation(
        "{system} sent more than 1 MB; the rest was not read.",
        Fixer.ANALYST,
        "Check that the address is a FHIR base URL and not a file.",
    ),
    "too_slow": Explanation(
        "{system} had not finished its answer after 30 seconds.",
        Fixer.NETWORK,
        "Look for a proxy that slows the connection down.",
    ),
    "throttled": Explanation(
        "{system} asks us to come back later.", Fixer.NETWORK, "Wait some minutes and check again."
    ),
    "failing": Explanation("{system} has a fault of its own.", Fixer.ANALYST, "Check again; then look into its logs."),
    "rejected": Explanation(
        "{system} refused the request.",
        Fixer.ANALYST,
        "Check the address: this path must be readable without signing in.",
    ),
    "not_json": Explanation(
        "{system} answered with something that is not JSON, such as XML or a web page.",
        Fixer.ANALYST,
        "Check the address. A sign-in page or a proxy may stand in front of it.",
    ),
    "not_a_token": Explanation("{system} answered without an access token.", Fixer.ANALYST, "Look into its logs."),
    "token_refused": Explanation(
        "{system} refused to issue a token.", Fixer.ANALYST, "Map the client id of the backend app to an Epic user."
    ),
}
_UNKNOWN = Explanation("This could not be checked.", Fixer.OPERATOR, "Look the code up in docs/troubleshooting.md.")


def explain(error: ConnectorError) -> CheckResult:
    """Return the failed line that ``error`` makes; a message of several lines ends in what is to be done."""
    system, _, ending = error.code.partition(".")
    known = _BY_CODE.get(error.code) or _BY_ENDING.get(ending) or _UNKNOWN
    cause, _, commands = error.user_message.partition("\n")
    named = known.cause.format(system=_SYSTEMS.get(system, "The other system"))
    answered = getattr(error, "status", 0)
    status = f" (HTTP {answered})" if answered and not cause else ""
    return failed(
        cause=(cause or named) + status,
        who=known.who,
        todo=commands or known.todo,
        code=error.code,
    )
