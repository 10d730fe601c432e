"""Whose rows the code that runs may reach: one organization's, or everybody's, which has to be said by name.

Every query of ours starts from an organization. This is the net below that: PostgreSQL itself hides the rows of
other organizations (row-level security, ADR 20), from what :mod:`core.postgresql` tells it before each query.
Without a scope the guarded tables are empty, and their managers refuse to be asked (:class:`ScopeMissing`).

A request gets its scope from the access rule of its view (:class:`core.middleware.ScopeMiddleware`); workers and
commands declare theirs once for the whole process.
"""

import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TypeVar

PLATFORM = "platform"  # what the policies of the database compare with

Item = TypeVar("Item")


class ScopeMissing(RuntimeError):
    """A guarded table was asked by code that did not say whose rows it wants."""


@dataclass(frozen=True)
class Scope:
    """Whose rows may be reached.

    :param setting: what PostgreSQL is told: an organization's id, ``platform``, or nothing at all.
    :param name: who acts, for people who read the code or an error.
    """

    setting: str
    name: str


NOTHING = Scope(setting="", name="nobody")

_current: ContextVar[Scope | None] = ContextVar("scope", default=None)
_of_process = NOTHING


def of_organization(organization_id: uuid.UUID) -> Scope:
    """Return the scope of one organization."""
    return Scope(setting=str(organization_id), name="organization")


def of_platform(name: str) -> Scope:
    """Return the scope of what works for every organization, such as a worker; ``name`` says what it is."""
    return Scope(setting=PLATFORM, name=name)


def current() -> Scope:
    """Return the scope of the code that runs."""
    return _current.get() or _of_process


def use_for_process(scope: Scope) -> None:
    """Give every thread of this process ``scope``, until one takes another."""
    global _of_process  # noqa: PLW0603 - threads inherit no context, so this is the process's own
    _of_process = scope


def enter(scope: Scope) -> None:
    """Go on in ``scope`` until whoever is around us leaves theirs, such as the request's middleware."""
    _current.set(scope)


@contextmanager
def within(scope: Scope) -> Iterator[None]:
    """Do what follows in ``scope``, then return to the one before."""
    token = _current.set(scope)
    try:
        yield
    finally:
        _current.reset(token)


@contextmanager
def reaching(organization_id: uuid.UUID) -> Iterator[None]:
    """Do what follows where the rows of ``organization_id`` can be reached; stay where we are if they can."""
    wanted = of_organization(organization_id)
    if current().setting in {PLATFORM, wanted.setting}:
        yield
        return
    with within(wanted):
        yield


def kept(items: Iterable[Item]) -> Iterator[Item]:
    """Return ``items`` as they are made, each in the scope of now: an answer is streamed after its request is over."""
    return _in_scope(current(), iter(items))


def _in_scope(scope: Scope, iterator: Iterator[Item]) -> Iterator[Item]:
    while True:
        with within(scope):
            try:
                item = next(iterator)
            except StopIteration:
                return
        yield item


def require() -> None:
    """Refuse to go on without a scope.

    :raises ScopeMissing: there is none.
    """
    if not current().setting:
        raise ScopeMissing("say whose rows are wanted: core.scope.within(of_organization(…)) or of_platform(…)")
