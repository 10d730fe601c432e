"""From the code of an error to what a person reads: cause, who mends it, how."""

from dataclasses import dataclass

from config_portal.doctor import CheckResult, Fixer, failed
from core.errors import ConnectorError

_SYSTEMS = {"epic": "Epic", "graph": "Microsoft Graph", "entra": "Microsoft Entra", "connector": "The connector"}


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """What a code means; ``cause`` and ``todo`` may name ``{system}``."""

    cause: str
    who: str
    todo: str = ""


# The message of the error comes first where it has one; these fill in the rest.
_BY_CODE = {
    "http.address_refused": Explanation(
        cause="The address leads to a network that the connector may not call.",
        who=Fixer.OPERATOR,
        todo="If the server is inside the hospital, add its network to OUTBOUND_ALLOWED_NETWORKS.",
    ),
    "http.not_https": Explanation(
        cause="The address does not begin with https://.", who=Fixer.ADMIN, todo="Enter the address with https://."
    ),
    "epic.base_url_invalid": Explanation(cause="This is no web address.", who=Fixer.ADMIN),
    "epic.base_url_suffix": Explanation(
        cause="The address lacks its FHIR version.", who=Fixer.ADMIN, todo="Add /api/FHIR/R4 at the end."
    ),
    "epic.discovery_incomplete": Explanation(
        cause="The server does not say where its OAuth 2.0 server is.",
        who=Fixer.ANALYST,
        todo="Check the FHIR base URL, and that OAuth 2.0 is set up on this Interconnect.",
    ),
    "epic.discovery_unsafe": Explanation(
        cause="Epic names an OAuth address that is not secure.",
        who=Fixer.ANALYST,
        todo="Correct the OAuth 2.0 addresses of this Interconnect to https.",
    ),
    "epic.invalid_client": Explanation(
        cause="Epic does not accept the client id or the key.",
        who=Fixer.ANALYST,
        todo="New keys take Epic up to 24 hours. After that, check the JWK Set URL and the client id in Epic.",
    ),
    "endpoint.client_id_missing": Explanation(
        cause="A client id is missing.", who=Fixer.ADMIN, todo="Enter the client ids of the three apps."
    ),
    "keys.missing": Explanation(
        cause="There are no keys in this environment yet.",
        who=Fixer.OPERATOR,
        todo="Authorize the organization for this environment.",
    ),
    "keys.unusable": Explanation(
        cause="A stored key cannot be used.", who=Fixer.OPERATOR, todo="Check ENCRYPTION_KEYS, or rotate the keys."
    ),
    "tls.unreachable": Explanation(
        cause="No connection to this host and port.",
        who=Fixer.NETWORK,
        todo="Check the host name in the address, and allow outgoing TCP 443 from the connector to it.",
    ),
    "tls.failed": Explanation(
        cause="The TLS handshake failed.", who=Fixer.NETWORK, todo="Allow TLS 1.2 or later on the FHIR server."
    ),
    "tls.expired": Explanation(cause="", who=Fixer.NETWORK, todo="Renew the certificate of the FHIR server."),
    "tls.not_yet_valid": Explanation(cause="", who=Fixer.NETWORK, todo="Check the clocks of both servers."),
    "tls.wrong_name": Explanation(
        cause="", who=Fixer.NETWORK, todo="Use the name in the certificate, or have one issued for this name."
    ),
    "tls.untrusted": Explanation(
        cause="",
        who=Fixer.NETWORK,
        todo="Install a certificate of a public authority together with its intermediate certificates.",
    ),
    "entra.credentials_refused": Explanation(cause="", who=Fixer.ADMIN),
    "entra.credentials_missing": Explanation(
        cause="", who=Fixer.ADMIN, todo="Make a certificate on the page Microsoft Teams."
    ),
    "teams.not_configured": Explanation(cause="", who=Fixer.ADMIN, todo="Fill in the page Microsoft Teams."),
    "graph.access_policy_missing": Explanation(cause="", who=Fixer.TEAMS_ADMIN),
    "graph.permission_missing": Explanation(cause="", who=Fixer.ADMIN),
    "graph.token_refused": Explanation(cause="", who=Fixer.ADMIN, todo="Give admin consent to the application again."),
}
_BY_ENDING = {
    "unreachable": Explanation(
        cause="No connection to {system}.",
        who=Fixer.NETWORK,
        todo="Check the host name, and allow outgoing TCP 443 from the connector to it.",
    ),
    "no_answer": Explanation(
        cause="{system} did not answer in time.",
        who=Fixer.NETWORK,
        todo="Try again. If it repeats, look for a firewall or proxy that holds the connection.",
    ),
    "too_large": Explanation(
        cause="{system} sent more than 1 MB; the rest was not read.",
        who=Fixer.ANALYST,
        todo="Check that the address is a FHIR base URL and not a file.",
    ),
    "too_slow": Explanation(
        cause="{system} had not finished its answer after 30 seconds.",
        who=Fixer.NETWORK,
        todo="Look for a proxy that slows the connection down.",
    ),
    "throttled": Explanation(
        cause="{system} asks us to come back later.", who=Fixer.NETWORK, todo="Wait some minutes and check again."
    ),
    "failing": Explanation(
        cause="{system} has a fault of its own.", who=Fixer.ANALYST, todo="Check again; then look into its logs."
    ),
    "rejected": Explanation(
        cause="{system} refused the request.",
        who=Fixer.ANALYST,
        todo="Check the address: this path must be readable without signing in.",
    ),
    "not_json": Explanation(
        cause="{system} answered with something that is not JSON, such as XML or a web page.",
        who=Fixer.ANALYST,
        todo="Check the address. A sign-in page or a proxy may stand in front of it.",
    ),
    "not_a_token": Explanation(
        cause="{system} answered without an access token.", who=Fixer.ANALYST, todo="Look into its logs."
    ),
    "token_refused": Explanation(
        cause="{system} refused to issue a token.",
        who=Fixer.ANALYST,
        todo="Map the client id of the backend app to an Epic user.",
    ),
}
_UNKNOWN = Explanation(
    cause="This could not be checked.", who=Fixer.OPERATOR, todo="Look the code up in docs/troubleshooting.md."
)


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
