"""One task in a browser's eyes: its page, its buttons, in place and not, and who may what."""

from datetime import date
from html import unescape

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from practices.common.templatetags.uk import uk_datetime
from practices.tracking import services
from practices.tracking.models import Gate, Task
from practices.tracking.services.gates import seen_mark, still_open
from tests.factories import MONDAY

from .cast import assert_sound, make_cast

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
State = Task.State


@pytest.fixture
def cast():
    return make_cast()


@pytest.fixture
def press(client, cast):
    """Post to an address of the task, as a person does; ``in_place`` as htmx does."""

    def press(who, code, act, in_place=False, **data):
        client.force_login(who)
        headers = HTMX if in_place else {}
        return client.post(cast.url("tasks", code, act), data, headers=headers)

    return press


def page_after(client, response):
    return unescape(client.get(response.headers["Location"]).content.decode())


@pytest.fixture
def signed(cast):
    """CUT-02 is done and the go-live data signed off over it."""
    services.tick_task(task=cast.task("CUT-02"), by=cast.manager, at=MONDAY)
    gate = cast.migration.gates.select_related("plan_gate").get()
    items = still_open(gate)
    return services.sign_off(
        gate=gate,
        seat=gate.plan_gate.seats.get(),
        name=cast.manager.name,
        seen=seen_mark(gate, items),
        exceptions={item.key: "accepted" for item in items},
        by=cast.manager,
        at=MONDAY,
    )


class TestTick:
    def test_without_scripts_it_comes_back_where_it_was_pressed(self, client, cast, press):
        back = cast.url("phases", "go_live") + "?show=open#task-GL-02"
        response = press(cast.manager, "GL-02", "tick", next=back)
        assert response.headers["Location"] == back
        page = page_after(client, response)
        assert "GL-02 is done." in page
        assert cast.url("tasks", "GL-02", "reopen") in page
        assert cast.task("GL-02").state == State.DONE

    def test_in_place_the_row_comes_back_alone_with_who_and_when(self, cast, press):
        response = press(cast.manager, "GL-02", "tick", in_place=True, place="phase")
        row = unescape(response.content.decode())
        assert response.status_code == 200
        assert "<html" not in row
        assert row.strip().startswith('<li class="app-task app-task--settled" id="task-GL-02"')
        assert 'data-app-announce="GL-02 is done."' in row
        assert "By Alice Manager," in row
        assert "Undo" in row
        assert 'id="progress" hx-swap-oob="true"' in row
        assert "1 of 2 done" in row

    def test_at_home_the_phases_beside_it_come_along(self, cast, press):
        response = press(cast.manager, "GL-02", "tick", in_place=True, place="next")
        row = response.content.decode()
        assert 'id="phases" hx-swap-oob="true"' in row
        assert 'id="late" hx-swap-oob="true"' in row
        assert "1 of 8 done" in row

    def test_pressed_again_it_says_who_did_it(self, client, cast, press):
        services.tick_task(task=cast.task("GL-02"), by=cast.project_manager, at=MONDAY)
        said = f"GL-02 was already done, by {cast.project_manager} on {uk_datetime(MONDAY)}."
        row = press(cast.manager, "GL-02", "tick", in_place=True, place="phase", version="1")
        assert row.status_code == 200
        assert said in unescape(row.content.decode())
        assert said in page_after(client, press(cast.manager, "GL-02", "tick"))
        assert cast.events("GL-02") == ["task.done"]

    @pytest.mark.parametrize(
        "elsewhere",
        ["https://evil.test/", "//evil.test", "javascript:alert(1)", "/\\evil.test", "foo", "?a=b"],
    )
    def test_it_never_leads_to_another_site(self, cast, press, elsewhere):
        response = press(cast.manager, "GL-02", "tick", next=elsewhere)
        assert response.headers["Location"] == cast.url("tasks", "GL-02")

    @pytest.mark.parametrize(("code", "why"), [("GL-01", "records a date"), ("CUT-04", "sign-off")])
    def test_what_is_another_act_is_refused_in_words(self, cast, press, code, why):
        for in_place in (False, True):
            response = press(cast.manager, code, "tick", in_place=in_place)
            assert response.status_code == 422
            assert why in response.content.decode()

    def test_in_a_migration_that_is_over_it_is_refused_in_words(self, cast, press):
        services.cancel_migration(
            migration=cast.migration, reason="Merged", by=cast.project_manager, at=MONDAY
        )
        response = press(cast.manager, "GL-02", "tick")
        assert response.status_code == 422
        assert "nothing in it can be changed" in response.content.decode()

    def test_by_address_alone_nothing_happens(self, client, cast):
        client.force_login(cast.manager)
        assert client.get(cast.url("tasks", "GL-02", "tick")).status_code == 405


class TestUndo:
    def test_right_after_a_tick(self, cast, press):
        press(cast.manager, "GL-02", "tick")
        version = cast.task("GL-02").version
        row = press(cast.manager, "GL-02", "reopen", in_place=True, version=version, place="phase")
        assert row.status_code == 200
        assert "Mark as done" in row.content.decode()
        assert_sound(cast.migration)

    def test_a_stale_page_is_told_who_did_it_and_undoes_nothing(self, cast, press):
        press(cast.manager, "GL-02", "tick")
        stale = cast.task("GL-02").version
        press(cast.manager, "GL-02", "reopen", version=stale)
        press(cast.project_manager, "GL-02", "tick")
        for in_place in (False, True):
            response = press(
                cast.manager, "GL-02", "reopen", in_place=in_place, version=stale, place="phase"
            )
            assert response.status_code == 409
            said = unescape(response.content.decode())
            assert f"it is now done, by {cast.project_manager}" in said
        assert cast.task("GL-02").state == State.DONE

    def test_a_button_without_a_version_is_a_stale_one(self, cast, press):
        press(cast.manager, "GL-02", "tick")
        assert press(cast.manager, "GL-02", "reopen").status_code == 409

    def test_under_a_sign_off_it_leads_to_a_page_that_asks_why(self, client, cast, press, signed):
        version = cast.task("CUT-02").version
        plain = press(cast.manager, "CUT-02", "reopen", version=version)
        in_place = press(cast.manager, "CUT-02", "reopen", in_place=True, version=version)
        assert plain.headers["Location"] == in_place.headers["HX-Redirect"]
        page = page_after(client, plain)
        assert "Reopening the task withdraws that sign-off" in page
        assert "Reopen task and withdraw sign-off" in page
        assert cast.task("CUT-02").state == State.DONE

    def test_under_a_sign_off_a_reason_is_needed_and_withdraws_it(self, cast, press, signed):
        version = cast.task("CUT-02").version
        asked = press(cast.manager, "CUT-02", "reopen", version=version, reason=" ")
        assert asked.status_code == 422
        assert "Enter a reason: the sign-off will be withdrawn" in asked.content.decode()
        done = press(cast.manager, "CUT-02", "reopen", version=version, reason="Found a gap")
        assert done.status_code == 302
        assert Gate.objects.get(pk=signed.gate_id).state == Gate.State.WAITING
        assert_sound(cast.migration)

    def test_a_conflict_keeps_what_was_typed_and_the_next_press_counts(self, cast, press, signed):
        stale = cast.task("CUT-02").version
        services.assign_task(
            task=cast.task("CUT-02"), assignee=cast.staff, by=cast.manager, at=MONDAY
        )
        response = press(cast.manager, "CUT-02", "reopen", version=stale, reason="Found a gap")
        assert response.status_code == 409
        page = response.content.decode()
        assert "Found a gap</textarea>" in page
        assert f'name="version" value="{stale + 1}"' in page
        again = press(cast.manager, "CUT-02", "reopen", version=stale + 1, reason="Found a gap")
        assert again.status_code == 302


class TestSettingAside:
    @pytest.mark.parametrize(
        ("act", "state"), [("not-applicable", State.NOT_APPLICABLE), ("blocked", State.BLOCKED)]
    )
    def test_with_a_reason(self, client, cast, press, act, state):
        response = press(cast.manager, "GL-02", act, reason="No such thing here")
        assert cast.task("GL-02").state == state
        page = page_after(client, response)
        assert "No such thing here" in page
        assert "GL-02 is marked as" in page

    @pytest.mark.parametrize("act", ["not-applicable", "blocked"])
    def test_without_one_it_asks(self, cast, press, act):
        response = press(cast.manager, "GL-02", act, reason="")
        assert response.status_code == 422
        assert "<title>Error: " in response.content.decode()
        assert cast.task("GL-02").state == State.OPEN

    def test_a_refusal_keeps_what_was_typed(self, cast, press):
        press(cast.project_manager, "GL-02", "tick")
        response = press(cast.manager, "GL-02", "not-applicable", reason="Typed with care")
        assert response.status_code == 422
        page = unescape(response.content.decode())
        assert "Typed with care" in page
        assert "GL-02 is already done, by" in page

    def test_too_long_a_reason_is_refused_and_kept(self, cast, press):
        response = press(cast.manager, "GL-02", "blocked", reason="x" * 501)
        assert response.status_code == 422
        assert "x" * 501 in response.content.decode()


class TestWhoAndWhen:
    def test_a_task_is_given_to_one_person_and_back(self, cast, press):
        seen = cast.task("GL-02").version
        press(cast.manager, "GL-02", "assign", assignee=str(cast.staff.pk), version=seen)
        assert cast.task("GL-02").assignee == cast.staff
        seen = cast.task("GL-02").version
        press(cast.manager, "GL-02", "assign", assignee="", version=seen)
        assert cast.task("GL-02").assignee is None

    def test_a_stale_page_replaces_nobody_and_says_who_it_is(self, cast, press):
        seen = cast.task("GL-02").version
        press(cast.manager, "GL-02", "assign", assignee=str(cast.staff.pk), version=seen)
        stale = press(
            cast.manager, "GL-02", "assign", assignee=str(cast.clinician.pk), version=seen
        )
        assert stale.status_code == 409
        assert "it is now with Bob Reception" in stale.content.decode()
        assert cast.task("GL-02").assignee == cast.staff

    def test_only_people_of_the_migration_are_offered(self, client, cast, press):
        people = [cast.staff, cast.trainer, cast.old_supplier, cast.commissioner]
        outside = [cast.stranger, cast.national_viewer]
        client.force_login(cast.manager)
        page = client.get(cast.url("tasks", "GL-02", "assign")).content.decode()
        for person in people:
            assert f'<option value="{person.pk}">' in page
        for person in outside:
            assert f'<option value="{person.pk}">' not in page
            refused = press(cast.manager, "GL-02", "assign", assignee=person.pk, version=1)
            assert refused.status_code == 422

    def test_a_date_by_hand(self, cast, press):
        day = {"due_on_day": "20", "due_on_month": "4", "due_on_year": "2027"}
        stale = cast.task("GL-02").version
        press(cast.manager, "GL-02", "due", version=stale, **day)
        assert str(cast.task("GL-02").due_on) == "2027-04-20"
        other = press(cast.manager, "GL-02", "due", version=stale, **{**day, "due_on_day": "21"})
        assert other.status_code == 409
        page = other.content.decode()
        assert "it is due on Tuesday 20 April 2027" in page
        assert 'value="21"' in page


class TestEvidenceAndNotes:
    def test_a_note_is_shown_with_its_writer(self, client, cast, press):
        response = press(cast.manager, "GL-02", "notes", note="Called\n<b>them</b>")
        page = client.get(response.headers["Location"]).content.decode()
        assert "Called\n&lt;b&gt;them&lt;/b&gt;" in page
        assert "Alice Manager" in page

    def test_an_empty_note_asks(self, cast, press):
        response = press(cast.manager, "GL-02", "notes", note=" ")
        assert response.status_code == 422
        assert "Enter a note" in response.content.decode()

    def test_a_note_that_is_too_long_says_how_long_it_may_be(self, cast, press):
        page = press(cast.manager, "GL-02", "notes", note="x" * 2001)
        assert "Note must be 2,000 characters or fewer" in page.content.decode()
        assert "x" * 2001 in page.content.decode()

    def test_a_link_with_a_password_in_it_is_refused(self, cast, press):
        page = press(cast.manager, "GL-02", "evidence", link="https://a:b@example.test/")
        assert page.status_code == 422
        assert "without a user name or password in it" in page.content.decode()

    def test_a_link(self, client, cast, press):
        response = press(cast.manager, "GL-02", "evidence", link="example.test/report")
        page = client.get(response.headers["Location"]).content.decode()
        assert 'href="https://example.test/report"' in page

    @pytest.mark.parametrize("link", ["", "javascript:alert(1)", "data:text/html,x", "nonsense"])
    def test_what_is_no_link_is_refused_and_kept(self, cast, press, link):
        response = press(cast.manager, "GL-02", "evidence", link=link)
        assert response.status_code == 422
        assert not cast.task("GL-02").evidence.exists()
        assert link in response.content.decode()

    def test_a_file_comes_back_as_an_attachment_until_it_is_removed(self, client, cast, press):
        upload = SimpleUploadedFile("counts.csv", b"day,count\n1,2\n")
        press(cast.manager, "GL-02", "evidence", upload=upload)
        evidence = cast.task("GL-02").evidence.get()
        url = cast.url("tasks", "GL-02", "evidence", str(evidence.pk))
        response = client.get(url)
        assert b"".join(response.streaming_content) == b"day,count\n1,2\n"
        assert response.headers["Content-Disposition"] == 'attachment; filename="counts.csv"'
        client.force_login(cast.stranger)
        assert client.get(url).status_code == 404
        press(cast.manager, "GL-02", f"evidence/{evidence.pk}/remove")
        client.force_login(cast.manager)
        assert client.get(url).status_code == 404
        evidence.refresh_from_db()
        assert evidence.removed_at

    def test_evidence_of_another_task_is_not_found_here(self, client, cast, press):
        press(cast.manager, "GL-02", "evidence", link="https://example.test/")
        pk = cast.task("GL-02").evidence.get().pk
        response = press(cast.manager, "CUT-02", f"evidence/{pk}/remove")
        assert response.status_code == 404

    def test_a_wrong_file_is_refused_with_a_sentence(self, cast, press):
        upload = SimpleUploadedFile("program.exe", b"MZ")
        response = press(cast.manager, "GL-02", "evidence", upload=upload)
        assert response.status_code == 422
        assert "The file must be PDF" in response.content.decode()


class TestThePage:
    def get(self, client, cast, who, code):
        client.force_login(who)
        return unescape(client.get(cast.url("tasks", code)).content.decode())

    def test_an_hour_task_says_its_minute_and_a_day_task_its_day(self, client, cast):
        assert "Sun 11 Apr 2027, 18:30 BST" in self.get(client, cast, cast.manager, "CUT-02")
        assert "Saturday 10 April 2027" in self.get(client, cast, cast.manager, "CUT-03")

    def test_recording_and_signing_lead_to_their_own_pages(self, client, cast):
        reference = cast.migration.reference
        record = reverse("tracking:record", args=(reference, "GL"))
        sign = reverse("tracking:sign", args=(reference, "go_live_data", "practice"))
        assert record in self.get(client, cast, cast.manager, "GL-01")
        assert sign in self.get(client, cast, cast.manager, "CUT-04")
        assert record not in self.get(client, cast, cast.staff, "GL-01")
        assert sign not in self.get(client, cast, cast.staff, "CUT-04")

    def test_history_lists_what_happened_to_this_task(self, client, cast, press):
        press(cast.manager, "GL-02", "tick")
        press(cast.manager, "CUT-02", "notes", note="Elsewhere")
        page = self.get(client, cast, cast.staff, "GL-02")
        assert "History of this task" in page
        assert "Elsewhere" not in page

    def test_buttons_are_only_for_those_who_may(self, client, cast):
        for who in (cast.staff, cast.trainer, cast.national_viewer):
            assert "Mark as done" not in self.get(client, cast, who, "GL-02")
        assert "Mark as done" in self.get(client, cast, cast.project_manager, "GL-02")
        assert "Mark as done" in self.get(client, cast, cast.staff, "POST-01")


WORK = ["tick", "reopen", "not-applicable", "blocked", "evidence"]
EDIT = ["assign", "due"]


class TestWhoMay:
    @pytest.mark.parametrize("act", [*WORK, *EDIT, "notes", "evidence/1/remove"])
    def test_a_stranger_finds_nothing(self, cast, press, act):
        assert press(cast.stranger, "GL-02", act).status_code == 404

    @pytest.mark.parametrize("act", [*WORK, *EDIT, "evidence/1/remove"])
    def test_an_insider_without_the_right_is_told_so(self, cast, press, act):
        for who in (cast.trainer, cast.staff, cast.commissioner, cast.national_viewer):
            assert press(who, "GL-02", act, reason="x").status_code == 403
        assert cast.task("GL-02").state == State.OPEN

    def test_a_viewer_writes_no_notes_but_a_worker_does(self, cast, press):
        assert press(cast.national_viewer, "GL-02", "notes", note="x").status_code == 403
        assert press(cast.trainer, "GL-02", "notes", note="x").status_code == 302

    def test_a_role_ticks_its_own_and_only_those(self, cast, press):
        assert press(cast.staff, "POST-01", "tick").status_code == 302
        assert press(cast.clinician, "CUT-03", "tick").status_code == 302
        assert press(cast.clinician, "CUT-02", "tick").status_code == 403

    def test_a_supplier_ticks_its_own_only(self, cast, press):
        task = cast.task("POST-01")
        Task.objects.filter(pk=task.pk).update(owner="source_supplier")
        assert press(cast.old_supplier, "POST-01", "tick").status_code == 302
        assert press(cast.old_supplier, "GL-02", "tick").status_code == 403
        Task.objects.filter(pk=cast.task("CUT-03").pk).update(owner="target_supplier")
        assert press(cast.old_supplier, "CUT-03", "tick").status_code == 403

    def test_who_is_given_a_task_may_tick_it_and_the_role_no_longer(self, cast, press):
        services.assign_task(
            task=cast.task("POST-01"), assignee=cast.trainer, by=cast.manager, at=MONDAY
        )
        assert press(cast.staff, "POST-01", "tick").status_code == 403
        assert press(cast.trainer, "POST-01", "tick").status_code == 302

    def test_leaving_works_at_the_next_press(self, cast, press):
        assert press(cast.staff, "POST-01", "tick").status_code == 302
        cast.staff.memberships.update(valid_to=date(2025, 1, 1))
        assert press(cast.staff, "POST-01", "tick").status_code == 404
