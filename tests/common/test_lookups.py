"""Rows among many ids, asked with one array."""

import pytest

from practices.accounts.models import Membership, User
from practices.accounts.roles import Role
from tests import factories

pytestmark = pytest.mark.django_db


def test_rows_are_found_by_their_own_ids_and_by_those_they_refer_to():
    first, second = (factories.make_person(Role.PROJECT_MANAGER) for _ in range(2))
    assert set(User.objects.filter(pk__among={first.pk, second.pk})) == {first, second}
    (held,) = Membership.objects.filter(person__among=[first.pk])
    assert held.person == first
    assert not Membership.objects.filter(person__among=[])


def test_what_is_not_among_them_is_left_out():
    first, second = factories.make_person(), factories.make_person()
    assert list(User.objects.exclude(pk__among=[first.pk])) == [second]
