from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from core import phone
from core.errors import ConnectorError
from sms.models import PhoneNumber
from sms.services.trying import send_test


class Command(BaseCommand):
    help = "Send one test text from one of our numbers and print what the supplier said."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("to", help="the phone that gets it, such as +16085550177")
        parser.add_argument("--sender", help="our number; needed when there is more than one")

    def handle(self, *args: Any, **options: Any) -> None:
        number = self._number(options["sender"])
        to = phone.to_e164(options["to"], region=number.organization.country)
        if to is None:
            raise CommandError("That is no telephone number.")
        try:
            accepted = send_test(number, to=to, actor="operator", now=timezone.now())
        except ConnectorError as error:
            raise CommandError(f"{error.code}: {error.user_message or error.detail}") from error
        self.stdout.write(f"{number.get_supplier_display()} took the text as {accepted.message_id}.")

    def _number(self, sender: str | None) -> PhoneNumber:
        numbers = PhoneNumber.objects.held().select_related("organization")
        if sender:
            numbers = numbers.filter(number=sender)
        found = list(numbers[:2])
        if len(found) != 1:
            raise CommandError("Name one of our numbers with --sender.")
        return found[0]
