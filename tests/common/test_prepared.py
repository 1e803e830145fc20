"""Questions that are worded once and asked with other instants."""

from datetime import timedelta

import pytest
from django.db import connection

from practices.accounts.models import Invitation, InvitationQuerySet
from practices.common.prepared import Instant, prepared
from tests import factories

pytestmark = pytest.mark.django_db
WORDED = []


@prepared
def open_for_a_day(now: Instant) -> InvitationQuerySet:
    WORDED.append(now)
    return Invitation.objects.open(now + timedelta(days=1))


def test_every_answer_is_for_the_instant_that_was_asked_about():
    invitation = factories.make_invitation(factories.make_practice())
    last = invitation.expires_at - timedelta(days=1)
    for _ in range(10):  # after a few, the server has one plan for every instant
        assert open_for_a_day(now=last - timedelta(minutes=1)) == [invitation.pk]
        assert open_for_a_day(now=last) == []
    assert len(WORDED) == 1
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement ~ 'invitation'")
        assert cursor.fetchone() == (1,)
