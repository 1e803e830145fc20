"""Plans taken elsewhere: the schema of their files."""

from django.http import HttpResponse, JsonResponse
from django.views.decorators.http import require_GET

from practices.common.access import Permission, SignedInRequest, requires
from practices.plans.yaml import plan_schema


@require_GET
@requires(Permission.VIEW_PLANS)
def schema(request: SignedInRequest) -> HttpResponse:
    """For editors, which complete and check a plan file with it."""
    return JsonResponse(plan_schema(), content_type="application/schema+json")
