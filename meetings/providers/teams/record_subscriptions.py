"""Change notifications about call records: Graph says that a call has a record, we fetch it.

API: Graph v1.0 ``/subscriptions`` on ``communications/callRecords``, of the whole tenant (a filter could only name
participants) and without resource data: a notification carries the record's id and our secret, no token.
``updated`` includes the first version of a record, ``created`` alone would miss the later ones. At most 4,230
minutes; a record is announced within 30 minutes of the call on average, within 150 at the latest.
Permission CallRecords.Read.All; 403 also when the tenant has its 100 subscriptions to call records.
Documentation: learn.microsoft.com/graph/changenotifications-for-callrecords, …/change-notifications-overview.
Checked: 2026-11-29.
"""

from datetime import datetime, timedelta

import requests

from core.errors import UpstreamRejected
from meetings.providers.base import LiveSubscription, RecordSubscriptionRequest
from meetings.providers.teams.call_records import PERMISSION
from meetings.providers.teams.connection import TeamsConnection
from meetings.providers.teams.graph import GraphCall, call, segment
from meetings.providers.teams.meetings import graph_time
from meetings.providers.teams.subscriptions import CONFLICT, NOT_FOUND, find, is_ours, live_of

LONGEST_LIFE = timedelta(minutes=4_230)
RESOURCE = "communications/callRecords"
_PATH = "/v1.0/subscriptions"


def subscribe(
    connection: TeamsConnection, session: requests.Session, request: RecordSubscriptionRequest
) -> LiveSubscription:
    """Subscribe; when Graph says that we have done so before, take that subscription over.

    Graph calls both of our addresses and waits ten seconds for the echo before it answers.

    :raises UpstreamRejected: status 409 when the application is subscribed to another address.
    """
    body = {
        "changeType": "updated",
        "resource": RESOURCE,
        "notificationUrl": request.notification_url,
        "lifecycleNotificationUrl": request.lifecycle_url,
        "expirationDateTime": graph_time(request.expires_at),
        "clientState": request.client_state,
    }
    wanted = GraphCall(method="POST", path=_PATH, json=body, permission=PERMISSION)
    try:
        return live_of(call(connection, session, wanted))
    except UpstreamRejected as error:
        if error.status != CONFLICT:
            raise
        old = find(connection, session, RESOURCE, path=_PATH, permission=PERMISSION)
        if old is None or not is_ours(old, request):
            raise
    return renew(connection, session, str(old["id"]), expires_at=request.expires_at)


def renew(
    connection: TeamsConnection, session: requests.Session, subscription_id: str, *, expires_at: datetime
) -> LiveSubscription:
    """Prolong the subscription."""
    body = {"expirationDateTime": graph_time(expires_at)}
    path = f"{_PATH}/{segment(subscription_id)}"
    return live_of(call(connection, session, GraphCall(method="PATCH", path=path, json=body, permission=PERMISSION)))


def unsubscribe(connection: TeamsConnection, session: requests.Session, subscription_id: str) -> None:
    """Delete the subscription; one that is gone already is fine."""
    path = f"{_PATH}/{segment(subscription_id)}"
    try:
        call(connection, session, GraphCall(method="DELETE", path=path, permission=PERMISSION))
    except UpstreamRejected as error:
        if error.status != NOT_FOUND:
            raise
