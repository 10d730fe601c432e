"""Results of device tests, on their way to Epic where the hospital wants them there."""

from datetime import datetime

from django.dispatch import receiver

from core.jobs import wake_after_commit
from launch.models import DeviceTest
from launch.signals import device_tested
from writeback import tasks
from writeback.services import outbox


@receiver(device_tested, dispatch_uid="launch.tell_epic")
def tell_epic(test: DeviceTest, now: datetime, **_: object) -> None:
    """Store the result for Epic in the transaction that stores the test; what was not checked is left out."""
    if test.attempt.invitation_id is not None:
        return  # Epic asks for the patient's device
    parts = {name: result for name, result in test.results.items() if result != DeviceTest.Result.SKIPPED}
    row = outbox.store_device_test(
        test.visit, test_id=test.pk, passed=not test.troubles, parts=parts, at=test.created_at, now=now
    )
    if row is not None:
        wake_after_commit(tasks.deliver, str(row.endpoint_id))
