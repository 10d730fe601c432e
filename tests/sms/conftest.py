import pytest

from sms.models import PhoneNumber, SmsMessage
from sms.models import Supplier as SupplierName
from tests.factories import approve, make_endpoint, make_sms_configuration, make_visit
from tests.sms.supplier import Supplier, accepted_by_twilio


@pytest.fixture
def acs(settings):
    """Azure Communication Services, taking every text."""
    supplier = Supplier()
    settings.ACS_ENDPOINT = supplier.url
    yield supplier
    supplier.close()


@pytest.fixture
def twilio(settings):
    """Twilio, taking every text."""
    supplier = Supplier(accepted_by_twilio)
    settings.TWILIO_API_BASE_URL = supplier.url
    yield supplier
    supplier.close()


@pytest.fixture
def confirmation(db):
    """A confirmation that is due, through ACS; there are no other texts."""
    make_visit()
    SmsMessage.objects.exclude(kind="scheduled").delete()
    return SmsMessage.objects.get()


@pytest.fixture
def through_twilio(db):
    """A confirmation that is due, through Twilio; there are no other texts."""
    endpoint = make_endpoint(with_sms=False, approved=False)
    make_sms_configuration(endpoint, supplier=SupplierName.TWILIO, reminder_minutes=[])
    approve(endpoint)
    make_visit(endpoint)
    return SmsMessage.objects.get()


@pytest.fixture
def with_second_way(db):
    """A confirmation that is due, through ACS, with Twilio to take over; there are no other texts."""
    endpoint = make_endpoint(with_sms=False, approved=False)
    second = make_number(endpoint.organization, number="+18445550142", supplier=SupplierName.TWILIO)
    make_sms_configuration(endpoint, reminder_minutes=[], failover_number=second)
    approve(endpoint)
    make_visit(endpoint)
    return SmsMessage.objects.get()


def make_number(organization, **values):
    return PhoneNumber.objects.create(organization=organization, **values)
