"""Versions of a plan: loaded once, published, retired, frozen by the database."""

import pytest
from django.core.management import CommandError, call_command

from practices.common.errors import Conflict, Refused
from practices.common.models import Event
from practices.plans import services
from practices.plans.models import Plan, PlanCover, PlanVersion
from practices.plans.queries import tree_of, with_parts
from practices.plans.services import versions
from practices.plans.shipping import FOLDER, load_shipped_plans
from practices.plans.yaml import read_plan, write_plan
from tests.factories import MONDAY, make_person

from .small import SMALL, changed

pytestmark = pytest.mark.django_db
State = PlanVersion.State
FULL = "nhs-full-migration"


def load(text=SMALL, by=None):
    return services.load_plan(tree=read_plan(text, file="plan.yaml"), by=by, at=MONDAY)


def publish(text=SMALL, **more):
    return services.publish(version=load(text).version, by=None, at=MONDAY, **more)


def stored(version):
    return tree_of(with_parts().get(pk=version.pk))


def access_days(version):
    return next(clock.limit for clock in stored(version).clocks if clock.key == "access")


class TestLoading:
    def test_a_plan_comes_back_from_the_database_as_it_was_loaded(self):
        file = FOLDER / f"{FULL}.yaml"
        loaded = load(file.read_text(encoding="utf-8"))
        assert write_plan(stored(loaded.version)).encode() == file.read_bytes()
        again = load(write_plan(stored(loaded.version)))
        assert (again.version, again.is_new) == (loaded.version, False)

    def test_the_same_content_makes_no_new_version(self):
        first = publish()
        again = load(
            SMALL.replace("slug: small\ntitle: A small plan", "title: A small plan\nslug: small")
        )
        assert (again.version, again.is_new) == (first, False)
        assert PlanVersion.objects.count() == 1

    def test_ninety_days_instead_of_45_are_version_2(self):
        first = publish()
        second = load(changed("limit: 45", "limit: 90"))
        assert (second.version.number, second.is_new, second.version.state) == (2, True, "draft")
        assert first.clocks.get(key="access").limit == 45
        assert access_days(second.version) == 90

    def test_a_draft_gives_way_to_a_newer_one(self):
        load()
        second = load(changed("limit: 45", "limit: 90"))
        assert second.version.number == 1
        assert [access_days(version) for version in PlanVersion.objects.all()] == [90]

    def test_a_draft_that_nobody_has_been_shown_does_not_give_way(self):
        draft = load().version
        tree = read_plan(changed("limit: 45", "limit: 90"), file="plan.yaml")
        with pytest.raises(Conflict, match="There is a draft of A small plan already"):
            services.load_plan(tree=tree, by=None, at=MONDAY, replaces_draft=False)
        assert PlanVersion.objects.get() == draft

    def test_a_draft_stays_when_the_published_content_is_loaded_once_more(self):
        first = publish()
        draft = load(changed("limit: 45", "limit: 90")).version
        assert load().version == first
        assert PlanVersion.objects.get(state=State.DRAFT) == draft

    def test_what_a_gate_covers_is_worked_out(self):
        version = publish()
        gate = version.gates.get()
        assert sorted(gate.covers.values_list("code", flat=True)) == ["CUT-01", "CUT-02"]
        assert version.tasks.get(code="GL-01").signs.gate == gate

    def test_a_fault_half_way_leaves_nothing_behind(self, monkeypatch):
        def fail(**_):
            raise RuntimeError

        monkeypatch.setattr(versions, "record_event", fail)
        with pytest.raises(RuntimeError):
            load()
        assert not Plan.objects.exists()


class TestStates:
    def test_publishing_retires_the_version_before(self):
        first = publish()
        second = publish(changed("limit: 45", "limit: 90"), notes="90 days agreed")
        first.refresh_from_db()
        assert (first.state, second.state) == (State.RETIRED, State.PUBLISHED)
        assert str(second.release_notes) == "90 days agreed"
        assert list(PlanVersion.objects.published()) == [second]

    def test_publishing_twice_changes_nothing(self):
        version = publish()
        events = Event.objects.count()
        assert services.publish(version=version, by=None, at=MONDAY) == version
        assert Event.objects.count() == events

    def test_a_retired_version_is_not_published_again(self):
        version = services.retire(version=publish(), by=None, at=MONDAY)
        with pytest.raises(Refused, match="export it and upload"):
            services.publish(version=version, by=None, at=MONDAY)

    def test_a_draft_is_discarded_and_what_was_published_is_kept(self):
        version = publish()
        with pytest.raises(Refused, match="kept"):
            services.discard(version=version, by=None, at=MONDAY)
        draft = load(changed("limit: 45", "limit: 90")).version
        services.discard(version=draft, by=None, at=MONDAY)
        assert list(PlanVersion.objects.all()) == [version]
        with pytest.raises(Refused, match="discarded or replaced"):
            services.publish(version=draft, by=None, at=MONDAY)

    def test_discarding_what_two_have_open_is_refused_the_second_time(self):
        draft = load().version
        other = PlanVersion.objects.get(pk=draft.pk)
        services.discard(version=draft, by=None, at=MONDAY)
        with pytest.raises(Refused, match="discarded or replaced"):
            services.discard(version=other, by=None, at=MONDAY)

    def test_discarding_the_only_version_takes_the_plan_away(self):
        services.discard(version=load().version, by=None, at=MONDAY)
        assert not Plan.objects.exists()

    def test_a_draft_is_not_retired(self):
        with pytest.raises(Refused, match="discard it instead"):
            services.retire(version=load().version, by=None, at=MONDAY)

    def test_every_act_is_an_event_of_the_site_with_who_and_when(self):
        person = make_person()
        version = load(by=person).version
        version = services.publish(version=version, by=person, at=MONDAY, notes="new")
        services.retire(version=version, by=person, at=MONDAY)
        events = Event.objects.of("site").order_by("seq")
        assert [(event.kind, event.by, event.subject) for event in events] == [
            ("plan.loaded", person, "plan:small:1"),
            ("plan.published", person, "plan:small:1"),
            ("plan.retired", person, "plan:small:1"),
        ]
        assert events[1].data["digest"] == version.digest
        assert "new" not in str(events[1].data)


class TestCommands:
    def test_load_plan_loads_publishes_and_says_what_it_did(self, tmp_path, capsys):
        file = tmp_path / "plan.yaml"
        file.write_text(SMALL)
        call_command("load_plan", str(file))
        call_command("load_plan", str(file), "--publish")
        call_command("load_plan", str(file), "--publish")
        assert capsys.readouterr().out.splitlines() == [
            "A small plan, version 1: loaded as a draft.",
            "A small plan, version 1: published.",
            "A small plan, version 1: there already, unchanged.",
        ]

    def test_load_plan_names_file_line_and_field(self, tmp_path):
        file = tmp_path / "plan.yaml"
        file.write_text(changed("limit: 45", "limit: many"))
        with pytest.raises(CommandError, match=r"^plan\.yaml, line \d+, clocks\.access\.limit: "):
            call_command("load_plan", str(file))
        with pytest.raises(CommandError, match="cannot be read"):
            call_command("load_plan", str(tmp_path / "none.yaml"))
        assert not Plan.objects.exists()

    def test_export_import_export_is_the_same_byte_for_byte(self, tmp_path, capsys):
        publish()
        call_command("export_plan", "small")
        first = capsys.readouterr().out
        (tmp_path / "plan.yaml").write_text(first, encoding="utf-8")
        call_command("load_plan", str(tmp_path / "plan.yaml"))
        assert "unchanged" in capsys.readouterr().out
        call_command("export_plan", "small", "--number=1")
        assert capsys.readouterr().out == first

    def test_export_says_when_there_is_nothing_to_export(self):
        load()
        with pytest.raises(CommandError, match="no published version"):
            call_command("export_plan", "small")
        with pytest.raises(CommandError, match="no version 7"):
            call_command("export_plan", "small", "--number=7")


class TestShippedPlans:
    def test_are_loaded_once(self):
        first = load_shipped_plans(at=MONDAY)
        assert [s.outcome for s in first] == ["version 1 is published."] * 3
        again = load_shipped_plans(at=MONDAY)
        assert [s.outcome for s in again] == ["unchanged: version 1 is published."] * 3
        assert PlanVersion.objects.published().count() == 3
        assert PlanCover.objects.exists()

    def test_a_newer_release_replaces_what_came_with_an_older_one(self):
        older = self._full().replace("limit: 72", "limit: 70").replace("60, 66, 72]", "60, 66, 70]")
        tree = read_plan(older, file="older")
        loaded = services.load_plan(tree=tree, by=None, at=MONDAY, shipped=True)
        services.publish(version=loaded.version, by=None, at=MONDAY)
        load_shipped_plans(at=MONDAY)
        newest = PlanVersion.objects.published().get(plan__slug=FULL)
        assert (newest.number, newest.clocks.get(key="cut_over").limit) == (2, 72)

    @pytest.mark.parametrize("published", [True, False])
    def test_a_plan_an_administrator_changed_is_left_alone(self, published):
        load_shipped_plans(at=MONDAY)
        own = load(self._full().replace("limit: 45", "limit: 90"), by=make_person()).version
        if published:
            services.publish(version=own, by=None, at=MONDAY)
        outcomes = {s.slug: s.outcome for s in load_shipped_plans(at=MONDAY)}
        assert outcomes[FULL].startswith("left alone: its version 2")
        assert PlanVersion.objects.filter(plan__slug=FULL).count() == 2

    def test_a_plan_an_administrator_retired_stays_retired(self):
        load_shipped_plans(at=MONDAY)
        version = PlanVersion.objects.published().get(plan__slug=FULL)
        services.retire(version=version, by=make_person(), at=MONDAY)
        load_shipped_plans(at=MONDAY)
        assert not PlanVersion.objects.published().filter(plan__slug=FULL).exists()

    @staticmethod
    def _full():
        return (FOLDER / f"{FULL}.yaml").read_text(encoding="utf-8")
