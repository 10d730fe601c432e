"""A script that calls the REST API with a token of one organization."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from config_portal.models import Organization
from config_portal.models.api_token import Scope
from config_portal.services.api_tokens import create_token

ALL: list[str] = list(Scope.values)


def make_token(organization: Organization, scopes: Sequence[str] = ALL, **values: Any) -> str:
    """Return a token with every scope, or those named."""
    values = {"name": "backup", "days": 30, "actor": "avery", "now": timezone.now(), **values}
    return create_token(organization, scopes=scopes, **values)[1]


@dataclass
class Script:
    """Calls with every scope, or those named."""

    organization: Organization
    scopes: Sequence[str] = field(default_factory=lambda: ALL)
    client: Client = field(default_factory=Client)

    def __call__(self, method: str, name: str, *args: Any, data: Any = None, token: str = "", **query: Any) -> Any:
        """Return the answer of the address called ``name``, such as ``api:endpoints``."""
        secret = token or make_token(self.organization, self.scopes)
        body = "" if data is None else json.dumps(data)
        return self.client.generic(
            method, reverse(name, args=args, query=query or None), body,
            content_type="application/json", headers={"Authorization": f"Bearer {secret}"},
        )  # fmt: skip
