"""Integration records: what an Epic analyst types into Epic for one approved FHIR endpoint.

Apps register how their records follow from what was approved; the Review page shows them in order.
Source: FDI records as Epic customers publish them (mnemonics ``URL``, ``ClientID``, ``Launchtype``, ``Context``).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from config_portal import snapshot
from config_portal.models import FhirEndpoint


@dataclass(frozen=True, kw_only=True)
class RecordField:
    """One value to type into Epic.

    :param name: what Epic calls it, such as ``ClientID``.
    :param note: what an analyst has to know about it; may be ''.
    """

    name: str
    value: str
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class IntegrationRecord:
    """One record of Epic, or one of Epic's interfaces.

    :param kind: unique within an endpoint, such as ``provider``.
    :param purpose: one sentence on what it is for and where it is used.
    """

    kind: str
    title: str
    purpose: str
    fields: tuple[RecordField, ...]


Approved = dict[str, Any]
Builder = Callable[[FhirEndpoint, Approved], IntegrationRecord | None]


@dataclass(frozen=True, kw_only=True)
class _Registered:
    order: int
    builder: Builder
    needs_approval: bool


_registered: dict[str, _Registered] = {}


def register(name: str, builder: Builder, *, order: int, needs_approval: bool = True) -> None:
    """Add a record; ``builder`` gets the endpoint and its approved snapshot, and returns None when there is none.

    :param order: lowest first.
    :param needs_approval: False for what Epic needs earlier; it is then built from the draft until something
        is approved.
    """
    _registered[name] = _Registered(order=order, builder=builder, needs_approval=needs_approval)


def records_of(endpoint: FhirEndpoint) -> list[IntegrationRecord]:
    """Return the records that follow from what was approved; before that, those that Epic needs earlier."""
    version = endpoint.approved_version
    ordered = sorted(_registered.items(), key=lambda item: (item[1].order, item[0]))
    wanted = [registered for _, registered in ordered if version is not None or not registered.needs_approval]
    content = version.snapshot if version is not None else snapshot.take(endpoint, smart={})
    built = (registered.builder(endpoint, content) for registered in wanted)
    return [record for record in built if record is not None]
