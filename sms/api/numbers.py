"""Phone numbers: get one, see how it comes, how verification stands, give one back."""

from uuid import UUID

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config_portal.api.authentication import actor_of, organization_of
from config_portal.api.base import ACCEPTED, ApiView, StrictSerializer, checked
from config_portal.models.api_token import Scope
from sms.forms.numbers import NumberForm, VerificationForm
from sms.models import NumberOrder, PhoneNumber, Supplier
from sms.services import countries, numbers, orders


class NumberSerializer(serializers.ModelSerializer[PhoneNumber]):
    """A number that the organization holds."""

    class Meta:
        model = PhoneNumber
        fields = [
            "id", "number", "supplier", "kind", "country", "verification", "verification_reason", "verification_by",
            "verification_at", "is_blocked_by_carriers", "release_requested_at", "created_at",
        ]  # fmt: skip


class OrderSerializer(serializers.ModelSerializer[NumberOrder]):
    """A number that is being got."""

    class Meta:
        model = NumberOrder
        fields = [
            "id", "state", "supplier", "kind", "area_code", "number", "phone_number", "price", "error_code",
            "requested_by", "requested_at", "finished_at",
        ]  # fmt: skip


class OrderWriteSerializer(StrictSerializer):
    """Which number to get."""

    supplier = serializers.ChoiceField(choices=Supplier.choices)
    kind = serializers.ChoiceField(choices=PhoneNumber.Kind.choices)
    area_code = serializers.CharField(required=False, default="", allow_blank=True, help_text="Three digits; '': any")


class VerificationSerializer(StrictSerializer):
    """What the supplier's site says, where the supplier cannot be asked; else nothing."""

    state = serializers.ChoiceField(choices=PhoneNumber.Verification.choices, required=False)
    reason = serializers.CharField(max_length=200, required=False, allow_blank=True)


class NumberApiView(ApiView):
    """Base of the views about one number."""

    def number(self, request: Request, number_id: UUID) -> PhoneNumber:
        """Return a number that the organization holds.

        :raises Http404: it is another's, given back, or none.
        """
        held = PhoneNumber.objects.for_organization(organization_of(request)).filter(released_at=None)
        return get_object_or_404(held.select_related("organization"), pk=number_id)


class NumberListView(ApiView):
    """Phone numbers."""

    scopes = {"GET": Scope.SMS_READ, "POST": Scope.SMS_WRITE}

    @extend_schema(responses=NumberSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Return the numbers that the organization holds."""
        held = PhoneNumber.objects.for_organization(organization_of(request)).filter(released_at=None)
        return Response(NumberSerializer(held.order_by("created_at"), many=True).data)

    @extend_schema(request=OrderWriteSerializer, responses={202: OrderSerializer})
    def post(self, request: Request) -> Response:
        """Begin to get a number; while one is being got, that order is answered instead."""
        organization, given = organization_of(request), OrderWriteSerializer.read(request)
        source = {"source": f"{given['supplier']}:{given['kind']}", "area_code": given["area_code"]}
        form = NumberForm(source, offers=countries.offers_for(organization))
        checked(form)
        order = orders.start_order(
            organization,
            supplier=form.supplier,
            kind=form.kind,
            area_code=form.cleaned_data["area_code"],
            actor=actor_of(request),
            now=timezone.now(),
        )
        return Response(OrderSerializer(order).data, status=ACCEPTED)


class NumberVerificationView(NumberApiView):
    """How verification by carriers stands: toll-free, or of the 10DLC campaign."""

    scopes = {"POST": Scope.SMS_WRITE}

    @extend_schema(request=VerificationSerializer, responses=NumberSerializer)
    def post(self, request: Request, number_id: UUID) -> Response:
        """Ask the supplier how it stands, or store what its site says where it cannot be asked."""
        number, now = self.number(request, number_id), timezone.now()
        given = VerificationSerializer.read(request)
        if numbers.can_check_verification(number):
            numbers.check_verification(number, now=now)
        else:
            values = checked(VerificationForm(given))
            numbers.record_verification(number, **values, actor=actor_of(request), now=now)
        return Response(NumberSerializer(number).data)


class NumberReleaseView(NumberApiView):
    """Give a number back."""

    scopes = {"POST": Scope.SMS_WRITE}

    @extend_schema(request=None, responses={202: NumberSerializer})
    def post(self, request: Request, number_id: UUID) -> Response:
        """Begin to give it back; it is gone for good. Refused while a connection texts from it."""
        number = self.number(request, number_id)
        numbers.request_release(number, actor=actor_of(request), now=timezone.now())
        number.refresh_from_db()
        return Response(NumberSerializer(number).data, status=ACCEPTED)


class OrderApiView(ApiView):
    """Base of the views about one order."""

    def order(self, request: Request, order_id: UUID) -> NumberOrder:
        """Return an order of the token's organization; any other is not found."""
        return get_object_or_404(NumberOrder.objects.for_organization(organization_of(request)), pk=order_id)


class OrderView(OrderApiView):
    """A number that is being got."""

    scopes = {"GET": Scope.SMS_READ}

    @extend_schema(responses=OrderSerializer)
    def get(self, request: Request, order_id: UUID) -> Response:
        """Return how far it is."""
        return Response(OrderSerializer(self.order(request, order_id)).data)


class OrderCancelView(OrderApiView):
    """Stop getting a number."""

    scopes = {"POST": Scope.SMS_WRITE}

    @extend_schema(request=None, responses=OrderSerializer)
    def post(self, request: Request, order_id: UUID) -> Response:
        """Ask for it to stop; a number that is being bought is given back as soon as it is ours."""
        orders.cancel(self.order(request, order_id), actor=actor_of(request), now=timezone.now())
        return Response(OrderSerializer(self.order(request, order_id)).data)


class OrderResumeView(OrderApiView):
    """Go on with an order that failed."""

    scopes = {"POST": Scope.SMS_WRITE}

    @extend_schema(request=None, responses=OrderSerializer)
    def post(self, request: Request, order_id: UUID) -> Response:
        """Go on; what may have been bought is looked for first."""
        orders.resume(self.order(request, order_id), actor=actor_of(request), now=timezone.now())
        return Response(OrderSerializer(self.order(request, order_id)).data)
