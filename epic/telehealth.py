"""Tell Epic who is in a video visit: the ``SetExternalConnectionStatus`` service.

Source: Epic "Telehealth Context Linking" services, version 2018, as observed in the field. Its code
lists are not public, so path, method, names and codes are settings of a FHIR endpoint. Checked
November 2026.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from types import MappingProxyType
from typing import Any, NoReturn, Self

import requests

from core.errors import ConfigurationError
from epic.authorization import Authorization
from epic.calls import call
from epic.connection import EpicConnection

_METHODS = ("GET", "PUT", "POST")
_CONNECTED_FROM = ("lobby", "call")
_PATH = "/api/epic/2018/Telehealth/ContextLinking/SetExternalConnectionStatus"
_PARAMETERS = {
    "conference_id": "ConferenceID",
    "external_id": "ExternalID",
    "external_id_type": "ExternalIDType",
    "vendor_name": "VendorName",
    "status": "ConnectionStatus",
}
# 2 was seen for a user; that 1 stands for a patient is an inference.
_EXTERNAL_ID_TYPES = {"provider": "2", "interpreter": "2", "patient": "1", "proxy": "1", "guest": "1"}


@dataclass(frozen=True, kw_only=True)
class ConnectionStatusSettings:
    """How one Epic wants to be told.

    :param path: below the interconnect address.
    :param parameters: our name of each parameter → Epic's.
    :param connected: code for "is connected"; ``disconnected`` likewise.
    :param external_id_types: role of a participant → what kind of id Epic gets for them.
    :param vendor_name: must equal what the site's Epic build says.
    :param connected_from: where a person counts as connected: ``lobby`` (and the call) or only the ``call``.
    """

    path: str = _PATH
    method: str = "GET"
    parameters: Mapping[str, str] = field(default_factory=lambda: MappingProxyType(_PARAMETERS))
    connected: str = "1"
    disconnected: str = "2"
    external_id_types: Mapping[str, str] = field(default_factory=lambda: MappingProxyType(_EXTERNAL_ID_TYPES))
    vendor_name: str = "EHR connector"
    connected_from: str = "lobby"

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Return the settings kept with a FHIR endpoint; what is not named keeps its default.

        :raises ConfigurationError: ``epic.connection_status_settings``, naming the wrong entry.
        """
        known = {entry.name for entry in fields(cls)}
        for name in stored.keys() - known:
            _refuse(name)
        values = {name: _read(name, value) for name, value in stored.items()}
        settings = cls(**values)
        if settings.method not in _METHODS:
            _refuse("method")
        if settings.connected_from not in _CONNECTED_FROM:
            _refuse("connected_from")
        if not settings.path.startswith("/") or settings.path.startswith("//"):
            _refuse("path")
        return settings


@dataclass(frozen=True, kw_only=True)
class ConnectionChange:
    """One person came into a video visit or left it.

    :param role: ``provider``, ``patient``, ``proxy``, ``interpreter`` or ``guest``.
    """

    conference_id: str = field(repr=False)
    external_id: str = field(repr=False)
    role: str
    is_connected: bool


def set_external_connection_status(
    session: requests.Session,
    connection: EpicConnection,
    change: ConnectionChange,
    *,
    settings: ConnectionStatusSettings,
    authorization: Authorization,
    now: datetime,
) -> int:
    """Tell Epic about ``change`` and return the HTTP status it accepted with.

    The call sets a state, so repeating it is harmless.

    :raises ConfigurationError: the settings or our client are not right.
    :raises ConnectorError: as :func:`epic.calls.call`.
    """
    parameters = _parameters(change, settings)
    url = connection.interconnect_url + settings.path
    response = call(session, settings.method, url, authorization=authorization, now=now, params=parameters)
    return response.status_code


def _parameters(change: ConnectionChange, settings: ConnectionStatusSettings) -> dict[str, str]:
    if change.role not in settings.external_id_types:
        _refuse(f"external_id_types.{change.role}")
    values = {
        "conference_id": change.conference_id,
        "external_id": change.external_id,
        "external_id_type": settings.external_id_types[change.role],
        "vendor_name": settings.vendor_name,
        "status": settings.connected if change.is_connected else settings.disconnected,
    }
    return {settings.parameters[name]: value for name, value in values.items()}


def _read(name: str, value: object) -> Any:
    defaults = {"parameters": _PARAMETERS, "external_id_types": _EXTERNAL_ID_TYPES}
    if name not in defaults:
        return str(value) if isinstance(value, (str, int)) else _refuse(name)
    if not isinstance(value, dict) or value.keys() - defaults[name].keys():
        return _refuse(name)
    return MappingProxyType({**defaults[name], **{key: str(entry) for key, entry in value.items()}})


def _refuse(entry: str) -> NoReturn:
    raise ConfigurationError(
        "epic.connection_status_settings",
        f"The settings for the connection status are not right: {entry}.",
        detail=entry,
    )
