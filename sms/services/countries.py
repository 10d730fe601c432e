"""The country rule: an organization gets numbers of its own country, and texts only phones under its calling code.

Numbers come from whatever supplier offers the country (see ``offers`` of the adapters), the United States
first. Texts to other calling codes are refused: they are what text-pumping fraud earns on.
"""

from dataclasses import dataclass

import phonenumbers

from config_portal.models import Organization
from core.errors import ConfigurationError
from sms.models import Supplier
from sms.providers.numbers import NumberKind
from sms.services import number_suppliers


@dataclass(frozen=True)
class CountryOffer:
    """What one supplier offers an organization's country."""

    supplier: str
    kinds: tuple[NumberKind, ...]


def offers_for(organization: Organization) -> list[CountryOffer]:
    """Return who can give this organization numbers, of the suppliers that the operator has set up."""
    found = []
    for supplier in Supplier.values:
        try:
            kinds = number_suppliers.supplier_of(supplier).offers.get(organization.country, ())
        except ConfigurationError:
            continue
        if kinds:
            found.append(CountryOffer(supplier, kinds))
    return found


def check_offer(organization: Organization, *, supplier: str, kind: str) -> None:
    """Pass when ``supplier`` offers this kind of number in the organization's country.

    :raises ConfigurationError: ``sms.supplier_not_configured`` or ``sms.country_not_offered``.
    """
    if kind not in number_suppliers.supplier_of(supplier).offers.get(organization.country, ()):
        raise ConfigurationError(
            "sms.country_not_offered", f"There are no such numbers with text messages in {organization.country}."
        )


def may_text(organization_country: str, to: str) -> bool:
    """Return whether a phone lies under the calling code of the organization's country.

    :param to: E.164. The United States, Canada and Puerto Rico share one calling code.
    """
    code = phonenumbers.country_code_for_region(organization_country)
    return code == 0 or to.startswith(f"+{code}")
