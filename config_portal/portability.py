"""What the configuration file holds besides the portal's own: each app adds its part, the portal need not know it.

An app registers from ``AppConfig.ready()``. A part is JSON without secrets; what was written is read back so
that writing it again gives the same bytes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import models

from config_portal.models import FhirEndpoint, Organization
from core.errors import ConfigurationError

Owner = TypeVar("Owner", Organization, FhirEndpoint)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """Who reads a file in, and when."""

    actor: str
    now: datetime


@dataclass(frozen=True, kw_only=True)
class FilePart(Generic[Owner]):
    """What an app keeps in the file for an organization or for one of its FHIR base URLs.

    :param write: returns the part; None when nothing was ever chosen.
    :param read: brings what is stored to the part, inside a transaction, and returns the names of what
        changed; a part that the file lacks is left as it is.
    """

    write: Callable[[Owner, datetime], Any]
    read: Callable[[Owner, Any, Reading], list[str]]


_of_organizations: dict[str, FilePart[Organization]] = {}
_of_endpoints: dict[str, FilePart[FhirEndpoint]] = {}


def register(
    name: str,
    *,
    organization: FilePart[Organization] | None = None,
    endpoint: FilePart[FhirEndpoint] | None = None,
) -> None:
    """Add the parts of an app under ``name``; registering a name again replaces them."""
    if organization is not None:
        _of_organizations[name] = organization
    if endpoint is not None:
        _of_endpoints[name] = endpoint


def write_organization(organization: Organization, *, now: datetime) -> dict[str, Any]:
    """Return every part of an organization by name."""
    return _write(_of_organizations, organization, now)


def write_endpoint(endpoint: FhirEndpoint, *, now: datetime) -> dict[str, Any]:
    """Return every part of a FHIR base URL by name."""
    return _write(_of_endpoints, endpoint, now)


def read_organization(organization: Organization, content: Mapping[str, Any], reading: Reading) -> list[str]:
    """Bring the organization to the parts that ``content`` holds and name what changed."""
    return _read(_of_organizations, organization, content, reading)


def read_endpoint(endpoint: FhirEndpoint, content: Mapping[str, Any], reading: Reading) -> list[str]:
    """Bring a FHIR base URL to the parts that ``content`` holds and name what changed."""
    return _read(_of_endpoints, endpoint, content, reading)


def _write(parts: Mapping[str, FilePart[Owner]], owner: Owner, now: datetime) -> dict[str, Any]:
    written = {name: part.write(owner, now) for name, part in parts.items()}
    return {name: content for name, content in written.items() if content is not None}


def _read(
    parts: Mapping[str, FilePart[Owner]], owner: Owner, content: Mapping[str, Any], reading: Reading
) -> list[str]:
    present = [(name, part) for name, part in parts.items() if content.get(name) is not None]
    return [f"{name}.{field}" for name, part in present for field in part.read(owner, content[name], reading)]


def invalid(owner: object, problem: str) -> ConfigurationError:
    """Return the error for a value of the file that cannot be."""
    return ConfigurationError("import.invalid", f"{owner}: {problem}")


def apply(row: models.Model, wanted: Mapping[str, Any], *, is_new: bool = False) -> list[str]:
    """Set what differs from ``wanted``, have the model check it, save, and return the names.

    :raises ConfigurationError: ``import.invalid`` naming the first value that cannot be.
    """
    changed = [name for name, value in wanted.items() if is_new or plain(getattr(row, name)) != value]
    for name in changed:
        setattr(row, name, wanted[name])
    if changed:
        check(row, wanted)
        row.save()
    return sorted(changed)


def check(row: models.Model, wanted: Mapping[str, Any]) -> None:
    """Have the model check the values named in ``wanted``.

    :raises ConfigurationError: ``import.invalid`` naming the first value that cannot be.
    """
    try:
        row.full_clean(exclude=[field.name for field in row._meta.fields if field.name not in wanted])
    except ValidationError as error:
        field, messages = next(iter(error.message_dict.items()))
        raise invalid(field, messages[0]) from error


def plain(value: Any) -> Any:
    """Return a value of a row as JSON has it."""
    return str(value) if isinstance(value, UUID) else value
