"""``/subscriptions``, in v1.0 and beta, as documented on the subscription pages (checked November 2026)."""

from typing import ClassVar

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from sandbox import ledger
from sandbox.graph import subscriptions
from sandbox.graph.base import GraphView, json_body, no_content
from sandbox.graph.subscriptions import subscription_json
from sandbox.models import Subscription

# Application permission only: a delegated token has no roles and is refused.
_OF_MEETINGS = frozenset({"OnlineMeetings.Read.All", "OnlineMeetings.ReadWrite.All"})
_OF_RECORDS = frozenset({"CallRecords.Read.All"})
_ROLES = _OF_MEETINGS | _OF_RECORDS


class SubscriptionList(GraphView):
    """``/subscriptions``."""

    permissions: ClassVar = {"POST": _ROLES, "GET": _ROLES}

    def post(self, request: HttpRequest) -> JsonResponse:
        """Create a subscription."""
        body = json_body(request)
        self.require(_OF_RECORDS if subscriptions.is_about_records(body) else _OF_MEETINGS)
        created = subscriptions.subscribe(body, caller=self.caller, now=timezone.now())
        return JsonResponse(subscription_json(created), status=201)

    def get(self, request: HttpRequest) -> JsonResponse:
        """List the app's live subscriptions."""
        live = Subscription.objects.filter(app_id=self.caller.app_id, expires_at__gt=timezone.now())
        return JsonResponse({"value": [subscription_json(subscription) for subscription in live]})


class SubscriptionDetail(GraphView):
    """``/subscriptions/{id}``."""

    permissions: ClassVar = {"GET": _ROLES, "PATCH": _ROLES, "DELETE": _ROLES}

    def get(self, request: HttpRequest, subscription: str) -> JsonResponse:
        """Return a subscription."""
        return JsonResponse(subscription_json(self._find(subscription)))

    def patch(self, request: HttpRequest, subscription: str) -> JsonResponse:
        """Renew a subscription, and rotate its certificate."""
        found = self._find(subscription)
        return JsonResponse(subscription_json(subscriptions.renew(found, json_body(request), now=timezone.now())))

    def delete(self, request: HttpRequest, subscription: str) -> HttpResponse:
        """Delete a subscription."""
        found = self._find(subscription)
        ledger.record("graph", "subscription_deleted", key=found.subject, subscription_id=str(found.id))
        found.delete()
        return no_content()

    def _find(self, subscription: str) -> Subscription:
        found = subscriptions.find(subscription, caller=self.caller, now=timezone.now())
        self.require(_OF_MEETINGS if found.meeting else _OF_RECORDS)
        return found


class Reauthorize(GraphView):
    """``/subscriptions/{id}/reauthorize``: the answer to a ``reauthorizationRequired`` lifecycle notification."""

    permissions: ClassVar = {"POST": _ROLES}

    def post(self, request: HttpRequest, subscription: str) -> HttpResponse:
        """Confirm that the app still wants the subscription."""
        found = subscriptions.find(subscription, caller=self.caller, now=timezone.now())
        ledger.record("graph", "subscription_reauthorized", key=found.subject, subscription_id=str(found.id))
        return no_content()
