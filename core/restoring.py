"""After a restore: what was due when the dump was made must not go out now as if nothing had happened since.

Between dump and loss the connector went on sending, and the dump does not know. Each app says from
``AppConfig.ready()`` what it does about its own outbox; ``manage.py after_restore`` runs them all before any
process starts.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from core import audit
from core.audit import ChainReport
from core.models import AuditChain

# What rows say that were under way when the dump was made.
RESTORED = "restore.not_repeated"

Settle = Callable[[datetime], int]

_settlers: dict[str, Settle] = {}


@dataclass(frozen=True, kw_only=True)
class Restored:
    """What a restore came to: rows settled by outbox, and whether each audit chain is whole."""

    settled: dict[str, int]
    chains: dict[str, ChainReport]

    @property
    def is_whole(self) -> bool:
        """Whether every audit chain is as it was written."""
        return all(report.is_intact for report in self.chains.values())


def register(name: str, settle: Settle) -> None:
    """Have ``settle`` called after a restore; it returns how many rows will not be sent any more."""
    _settlers[name] = settle


@transaction.atomic
def after_restore(*, now: datetime) -> Restored:
    """Verify every audit chain, settle what must not be repeated, and put that into the audit trail."""
    organizations = AuditChain.objects.values_list("organization_id", flat=True)
    chains = {str(pk): audit.verify_chain(pk) for pk in organizations}
    settled = {name: settle(now) for name, settle in sorted(_settlers.items())}
    audit.record("platform.restored", settled=settled, chains=len(chains))
    return Restored(settled=settled, chains=chains)
