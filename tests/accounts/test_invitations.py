"""Invitations: who gets in with which link, and what is said to everybody else."""

from datetime import date, timedelta

import pytest
import time_machine
from django.apps import apps
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from practices.accounts import services
from practices.accounts.models import Invitation, User
from practices.accounts.roles import Role
from practices.accounts.tokens import is_token_of, token_of
from practices.common.errors import Refused
from practices.common.models import Event
from practices.directory.models import Organisation
from tests.factories import (
    MONDAY,
    give_role,
    make_invitation,
    make_organisation,
    make_person,
    make_practice,
)

pytestmark = pytest.mark.django_db

GOOD = "a battery horse staple"
DAY = timedelta(days=1)
NEW = {"name": "Nina Newcomer", "password1": GOOD, "password2": GOOD}


@pytest.fixture
def practice():
    return make_practice().organisation


@pytest.fixture
def invitation(practice):
    return make_invitation(practice, email="Nina@Example.test")


@pytest.fixture(autouse=True)
def monday():
    with time_machine.travel(MONDAY, tick=False):
        yield


def link(invitation):
    return reverse("accounts:invited", args=(invitation.pk, token_of(invitation)))


def page(invitation):
    return reverse("accounts:invitation", args=(invitation.pk,))


def opened(invitation, person=None):
    """A browser that followed the link of the mail."""
    client = Client()
    if person:
        client.force_login(person)
    assert client.get(link(invitation)).headers["Location"] == page(invitation)
    return client


def text(answer):
    return answer.content.decode()


class TestTheSecret:
    def test_it_is_256_bit_and_stands_in_no_column(self, invitation):
        token = token_of(invitation)
        assert len(token) == 43
        invitation.refresh_from_db()
        row = {
            field.name: str(field.value_from_object(invitation))
            for field in invitation._meta.fields
        }
        assert token not in row.values()
        assert token != invitation.nonce

    def test_it_opens_only_its_own_invitation(self, invitation, practice):
        other = make_invitation(practice)
        assert is_token_of(token_of(invitation), invitation)
        assert not is_token_of(token_of(other), invitation)
        assert not is_token_of("", invitation)

    def test_it_outlives_a_change_of_the_secret_key(self, invitation, settings):
        token = token_of(invitation)
        settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
        settings.SECRET_KEY = "another key that is long enough to be one, for tests"
        assert is_token_of(token, invitation)
        settings.SECRET_KEY_FALLBACKS = []
        assert not is_token_of(token, invitation)

    def test_row_history_and_events_hold_neither_name_nor_address(self, invitation):
        columns = {f.name for f in apps.get_model("accounts.InvitationEvent")._meta.get_fields()}
        assert not columns & {"email", "name", "nonce"}
        event = Event.objects.of("site").order_by("-seq").first()
        assert (event.kind, event.subject) == ("invitation.sent", f"invitation:{invitation.pk}")
        assert event.data == {"organisation": invitation.organisation_id, "role": "practice_staff"}

    def test_it_leaves_the_address_at_once(self, invitation, client):
        answer = client.get(link(invitation))
        assert answer.status_code == 302
        assert token_of(invitation) not in answer.headers["Location"]
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert "no-store" in answer.headers["Cache-Control"]


class TestInviting:
    def test_an_address_is_invited_once_to_a_role(self, practice, invitation):
        with pytest.raises(Refused, match="is invited to this role already"):
            make_invitation(practice, email="nina@example.test")
        make_invitation(practice, Role.CLINICIAN, email="nina@example.test")

    def test_when_it_has_expired_it_can_be_sent_anew(self, practice, invitation):
        later = MONDAY + 15 * DAY
        make_invitation(practice, email="nina@example.test", at=later)
        assert Invitation.objects.open(later).count() == 1
        assert Invitation.objects.unanswered().count() == 1

    @pytest.mark.parametrize(
        ("wrong", "sentence"),
        [
            ({"email": "nina"}, "is not an email address"),
            ({"name": " "}, "full name"),
            ({"role": Role.SUPPLIER}, "so nobody can be its supplier"),
            ({"valid_to": MONDAY.date()}, "The last day of the role is over"),
        ],
    )
    def test_what_cannot_be_is_refused(self, practice, wrong, sentence):
        with pytest.raises(Refused, match=sentence):
            make_invitation(practice, **({"role": Role.PRACTICE_STAFF} | wrong))
        assert not Invitation.objects.exists()

    def test_who_has_the_role_is_not_invited_to_it(self, practice):
        person = make_person(Role.CLINICIAN, practice)
        with pytest.raises(Refused, match="is already clinician of"):
            make_invitation(practice, Role.CLINICIAN, email=person.email)

    def test_it_does_not_outlive_the_role(self, practice):
        short = make_invitation(practice, valid_to=date(2027, 2, 4))
        assert short.expires_at == MONDAY.replace(day=4, hour=0)

    def test_sending_again_kills_the_old_link(self, invitation):
        old = token_of(invitation)
        again = services.send_again(
            invitation=invitation, by=invitation.invited_by, at=MONDAY + DAY
        )
        assert not is_token_of(old, again)
        assert again.expires_at == MONDAY + 15 * DAY
        client = Client()
        client.get(reverse("accounts:invited", args=(invitation.pk, old)))
        assert "use the newest" in text(client.get(page(invitation)))

    def test_nobody_invites_themselves(self, practice):
        manager = make_person(Role.PRACTICE_MANAGER, practice)
        with pytest.raises(Refused, match="your own address"):
            make_invitation(practice, email=manager.email.upper(), by=manager)

    def test_only_administrators_invite_who_runs_migrations_to_a_practice(self, practice):
        trainer = make_person(Role.TRAINER, make_organisation(Organisation.Kind.OPERATOR))
        manager = make_person(Role.PRACTICE_MANAGER, practice)
        with pytest.raises(Refused, match="given by the practice only"):
            make_invitation(practice, email=trainer.email, by=manager)
        invitation = make_invitation(
            practice, email=trainer.email, by=make_person(Role.ADMINISTRATOR)
        )
        services.accept(invitation=invitation, by=trainer, at=MONDAY)
        assert trainer.memberships.filter(organisation=practice).exists()

    def test_ending_the_role_that_let_somebody_invite_withdraws_what_they_sent(self, practice):
        manager = make_person(Role.PRACTICE_MANAGER, practice)
        give_role(manager, Role.PRACTICE_MANAGER, elsewhere := make_practice())
        give_role(manager, Role.CLINICIAN, practice)
        gone, kept = (make_invitation(place, by=manager) for place in (practice, elsewhere))
        here = manager.memberships.filter(organisation=practice)
        services.end_membership(membership=here.get(role=Role.CLINICIAN), by=None, at=MONDAY)
        assert Invitation.objects.open(MONDAY).count() == 2
        services.end_membership(membership=here.get(role=Role.PRACTICE_MANAGER), by=None, at=MONDAY)
        assert Invitation.objects.open(MONDAY).get() == kept
        gone.refresh_from_db()
        assert gone.withdrawn_at == MONDAY

    def test_closing_an_account_withdraws_what_it_sent_each_with_its_event(self, practice):
        manager, admin = make_person(Role.PRACTICE_MANAGER, practice), make_person()
        sent = [make_invitation(practice, by=manager) for _ in range(3)]
        services.withdraw_invitation(invitation=sent[0], by=manager, at=MONDAY)
        services.close_account(person=manager, by=admin, at=MONDAY)
        assert not Invitation.objects.unanswered().exists()
        events = Event.objects.filter(kind="invitation.withdrawn").order_by("seq")
        assert [(event.by, event.subject) for event in events] == [
            (by, f"invitation:{one.pk}")
            for by, one in zip((manager, admin, admin), sent, strict=True)
        ]

    def test_one_that_is_replaced_and_those_of_an_ended_role_have_their_events_too(self, practice):
        manager = make_person(Role.PRACTICE_MANAGER, practice)
        for at in (MONDAY, MONDAY + 15 * DAY):
            make_invitation(practice, email="nina@example.test", by=manager, at=at)
        later = MONDAY + 16 * DAY
        with time_machine.travel(later, tick=False):
            services.end_membership(membership=manager.memberships.get(), by=None, at=later)
        assert Event.objects.filter(kind="invitation.withdrawn").count() == 2


class TestWhoSentItMayInviteNoMore:
    """A role that runs out by its date withdraws nothing: it is asked when somebody accepts."""

    @pytest.fixture
    def manager(self, practice):
        manager = make_person()
        give_role(manager, Role.PRACTICE_MANAGER, practice, until=MONDAY.date() + 2 * DAY)
        return manager

    @pytest.fixture
    def invitation(self, practice, manager):
        return make_invitation(practice, email="nina@example.test", by=manager)

    def test_the_last_day_counts(self, invitation):
        with time_machine.travel(MONDAY + DAY, tick=False):
            assert opened(invitation).get(page(invitation)).status_code == 200
            services.join(invitation=invitation, name="Nina", password=GOOD, at=MONDAY + DAY)

    @pytest.mark.parametrize("account", [True, False])
    def test_the_page_says_so_and_nobody_gets_in(self, invitation, account):
        nina = make_person(email="nina@example.test") if account else None
        act, who = (
            (services.accept, {"by": nina})
            if account
            else (services.join, {"name": "Nina", "password": GOOD})
        )
        with time_machine.travel(MONDAY + 2 * DAY, tick=False):
            client = opened(invitation, nina)
            for answer in (client.get(page(invitation)), client.post(page(invitation), NEW)):
                assert answer.status_code == 410
                assert "may not invite" in text(answer)
            with pytest.raises(Refused, match="may not invite you to this role any more"):
                act(invitation=invitation, at=MONDAY + 2 * DAY, **who)
        assert User.objects.filter(email=invitation.email).exists() == account

    def test_whoever_sends_it_again_answers_for_it(self, invitation, practice):
        admin = make_person(Role.ADMINISTRATOR)
        again = services.send_again(invitation=invitation, by=admin, at=MONDAY + 2 * DAY)
        assert again.invited_by == admin
        with time_machine.travel(MONDAY + 2 * DAY, tick=False):
            assert opened(again).get(page(again)).status_code == 200

    def test_nobody_sends_their_own_again(self, invitation, practice):
        nina = make_person(Role.PRACTICE_MANAGER, practice, email="nina@example.test")
        with pytest.raises(Refused, match="your own address"):
            services.send_again(invitation=invitation, by=nina, at=MONDAY)


class TestSomebodyNew:
    def test_sets_name_and_password_and_is_signed_in(self, invitation, practice):
        client = opened(invitation)
        first = text(client.get(page(invitation)))
        for words in (
            "Practice staff",
            str(practice),
            "nina@example.test",
            'value="Nina Newcomer"',
        ):
            assert words in first
        done = client.post(page(invitation), NEW, follow=True)
        assert "You are signed in. Your role: Practice staff of" in text(done)
        person = User.objects.get(email="nina@example.test")
        assert person.check_password(GOOD)
        assert person.roles == {Role.PRACTICE_STAFF}
        assert client.session["_auth_user_id"] == str(person.pk)
        kinds = Event.objects.of("site").order_by("seq").values_list("kind", flat=True)
        assert list(kinds)[-3:] == ["person.added", "membership.added", "invitation.accepted"]

    def test_the_role_ends_when_the_invitation_said(self, practice):
        invitation = make_invitation(practice, valid_to=date(2027, 3, 1))
        opened(invitation).post(page(invitation), NEW)
        assert User.objects.get(email=invitation.email).memberships.get().valid_to == date(
            2027, 3, 1
        )

    @pytest.mark.parametrize(
        ("typed", "sentence"),
        [
            ({"name": ""}, "Enter your full name"),
            ({"password1": "short", "password2": "short"}, "at least 12 characters"),
            ({"password2": GOOD + "x"}, "The two passwords differ"),
            ({"password1": "nina@example.test", "password2": "nina@example.test"}, "too similar"),
        ],
    )
    def test_a_mistake_keeps_what_was_typed(self, invitation, typed, sentence):
        client = opened(invitation)
        answer = client.post(page(invitation), NEW | {"name": "Nina Maria"} | typed)
        assert answer.status_code == 422
        assert sentence in text(answer)
        assert GOOD not in text(answer)
        if "name" not in typed:
            assert 'value="Nina Maria"' in text(answer)
        assert not User.objects.filter(email=invitation.email).exists()

    def test_the_service_itself_refuses_a_weak_password(self, invitation):
        with pytest.raises(ValidationError):
            services.join(invitation=invitation, name="Nina", password="short", at=MONDAY)


class TestSomebodyWithAnAccount:
    @pytest.fixture
    def nina(self):
        return make_person(Role.CLINICIAN, make_practice(), email="nina@example.test")

    def test_signs_in_first_and_then_confirms(self, invitation, nina):
        client = opened(invitation)
        asked = text(client.get(page(invitation)))
        assert "There is an account for this address already" in asked
        assert f"/accounts/login/?next={page(invitation)}" in asked
        assert "Password" not in asked
        posted = client.post(page(invitation), NEW)
        assert "There is an account for this address already" in text(posted)
        sent = {"login": nina.email, "password": "correct horse battery", "next": page(invitation)}
        confirm = text(client.post("/accounts/login/", sent, follow=True))
        assert "Confirm the invitation" in confirm
        client.post(page(invitation))
        assert User.objects.get(pk=nina.pk).roles == {Role.CLINICIAN, Role.PRACTICE_STAFF}
        assert User.objects.get(pk=nina.pk).check_password("correct horse battery")

    def test_nobody_else_can_take_it(self, invitation, nina):
        other = make_person()
        client = opened(invitation, other)
        for answer in (client.get(page(invitation)), client.post(page(invitation))):
            assert answer.status_code == 403
            assert "This invitation is for another address" in text(answer)
        with pytest.raises(Refused, match="sent to another address"):
            services.accept(invitation=invitation, by=other, at=MONDAY)
        assert not other.memberships.exists()

    def test_who_has_come_to_run_migrations_cannot_take_it(self, practice, nina):
        manager = make_person(Role.PRACTICE_MANAGER, practice)
        invitation = make_invitation(practice, email=nina.email, by=manager)
        give_role(nina, Role.PROJECT_MANAGER, make_organisation(Organisation.Kind.OPERATOR))
        with pytest.raises(Refused, match="given by the practice only"):
            services.accept(invitation=invitation, by=nina, at=MONDAY)

    def test_who_sent_it_cannot_take_it(self, invitation, nina):
        Invitation.objects.filter(pk=invitation.pk).update(invited_by=nina)
        with pytest.raises(Refused, match="sent this invitation yourself"):
            services.accept(invitation=invitation, by=nina, at=MONDAY)
        assert nina.memberships.count() == 1

    def test_holding_the_role_by_now_is_no_mistake(self, invitation, nina, practice):
        give_role(nina, Role.PRACTICE_STAFF, practice)
        services.accept(invitation=invitation, by=nina, at=MONDAY)
        assert nina.memberships.filter(organisation=practice).count() == 1


class TestLinksThatDoNotWork:
    def test_a_used_one(self, invitation):
        opened(invitation).post(page(invitation), NEW)
        answer = opened(invitation).get(page(invitation))
        assert answer.status_code == 410
        assert "This invitation has been used" in text(answer)
        with pytest.raises(Refused, match="does not work any more"):
            services.join(invitation=invitation, name="Eve", password=GOOD, at=MONDAY)

    def test_a_withdrawn_one(self, invitation):
        services.withdraw_invitation(invitation=invitation, by=invitation.invited_by, at=MONDAY)
        client = opened(invitation)
        assert "This invitation was withdrawn" in text(client.get(page(invitation)))
        assert client.post(page(invitation), NEW).status_code == 410
        with pytest.raises(Refused, match="was withdrawn"):
            services.send_again(invitation=invitation, by=invitation.invited_by, at=MONDAY)

    def test_an_expired_one(self, invitation):
        with time_machine.travel(MONDAY + 14 * DAY, tick=False):
            assert "This invitation has expired" in text(opened(invitation).get(page(invitation)))
        with time_machine.travel(MONDAY + 14 * DAY - timedelta(seconds=1), tick=False):
            assert opened(invitation).get(page(invitation)).status_code == 200

    @pytest.mark.parametrize("has_account", [True, False])
    def test_a_wrong_one_says_the_same_whether_there_is_an_account(
        self, invitation, has_account, client
    ):
        if has_account:
            make_person(email=invitation.email)
        client.get(reverse("accounts:invited", args=(invitation.pk, "guessed")))
        answers = [client.get(page(invitation)), client.post(page(invitation), NEW)]
        client.get(reverse("accounts:invited", args=(invitation.pk + 999, "guessed")))
        answers.append(client.get(f"/invitations/{invitation.pk + 999}/"))
        assert {answer.status_code for answer in answers} == {404}
        said = {text(answer).partition("<h1>")[2].partition("</div>")[0] for answer in answers}
        assert len(said) == 1
        assert "This link does not work" in text(answers[0])

    def test_guessing_has_a_limit(self, invitation, client):
        codes = {
            client.get(reverse("accounts:invited", args=(invitation.pk, f"guess{n}"))).status_code
            for n in range(61)
        }
        assert codes == {302, 429}
