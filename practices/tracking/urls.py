"""Addresses of a migration's pages; the reference never changes (house.md decision 4)."""

from django.urls import URLPattern, URLResolver, include, path

from .views import (
    access,
    checklist,
    conditions,
    dates,
    gates,
    history,
    inviting,
    leaving,
    lifecycle,
    overview,
    patient_data,
    people,
    start,
    tasks,
    upgrade,
)

app_name = "tracking"

task_pages = [
    path("", tasks.task, name="task"),
    path("tick/", tasks.tick, name="tick"),
    path("reopen/", tasks.reopen, name="reopen"),
    path("not-applicable/", tasks.set_aside, name="set_aside"),
    path("blocked/", tasks.block, name="block"),
    path("assign/", tasks.assign, name="assign"),
    path("due/", tasks.due, name="due"),
    path("notes/", tasks.note, name="note"),
    path("evidence/", tasks.evidence, name="evidence"),
    path("evidence/<int:pk>/", tasks.evidence_file, name="evidence_file"),
    path("evidence/<int:pk>/remove/", tasks.evidence_remove, name="evidence_remove"),
]

phase_pages = [
    path("", checklist.phase, name="phase"),
    path("tick/", checklist.tick_several, name="tick_several"),
    path("add/", checklist.add, name="add_task"),
]

date_pages = [
    path("", dates.dates, name="dates"),
    path("<str:key>/plan/", dates.replan, name="replan"),
    path("<str:key>/record/", dates.record, name="record"),
    path("<str:key>/clear/", dates.clear, name="clear_date"),
]

gate_pages = [
    path("", gates.gate, name="gate"),
    path("sign/<str:seat>/", gates.sign, name="sign"),
    path("withdraw/", gates.withdraw, name="withdraw"),
    path("without/", gates.bypass, name="bypass"),
    path("without/confirm/", gates.confirm_bypass, name="confirm_bypass"),
]

migration_pages: list[URLPattern | URLResolver] = [
    path("", overview.overview, name="overview"),
    path("clocks/", overview.clocks, name="clocks"),
    path("clocks/<str:key>/reason/", access.explain_breach, name="explain_breach"),
    path("old-system/extend/", access.extend, name="extend_access"),
    path("old-system/check/", access.check, name="check_access"),
    path("practice/", conditions.conditions, name="conditions"),
    path("practice/<str:key>/", conditions.answer, name="answer"),
    path("history/", history.history, name="history"),
    path("tasks/", checklist.all_tasks, name="tasks"),
    path("tasks/<str:code>/", include(task_pages)),
    path("phases/<str:key>/", include(phase_pages)),
    path("dates/", include(date_pages)),
    path("sign-off/<str:key>/", include(gate_pages)),
    path("people/", people.people, name="people"),
    path("people/add/", people.add, name="add_contact"),
    path("people/invite/", inviting.invite, name="invite"),
    path("people/invitations/<int:pk>/send-again/", inviting.send_again, name="send_again"),
    path("people/invitations/<int:pk>/withdraw/", inviting.withdraw, name="withdraw_invitation"),
    path("people/project-manager/", people.project_manager, name="project_manager"),
    path("people/<int:pk>/", people.change, name="change_contact"),
    path("people/<int:pk>/remove/", people.remove, name="remove_contact"),
    path("texts/<int:pk>/report/", patient_data.report_text, name="report_text"),
    path("files/<int:pk>/report/", patient_data.report_file, name="report_file"),
    path("reports/", patient_data.reports, name="reports"),
    path("reports/<int:pk>/redact/", patient_data.redact, name="redact"),
    path("reports/<int:pk>/restore/", patient_data.restore, name="restore"),
    path("upgrade/", upgrade.upgrade, name="upgrade"),
    path("upgrade/<int:pk>/undo/", upgrade.undo, name="undo_upgrade"),
    path("abort-cut-over/", lifecycle.abort_cut_over, name="abort_cut_over"),
    path("cancel/", lifecycle.cancel, name="cancel"),
    path("delete/", lifecycle.delete, name="delete"),
    path("close/", lifecycle.finish, name="finish"),
]

urlpatterns = [
    path("migrations/start/", start.start, name="start"),
    path("people/roles/<int:pk>/end/", leaving.leave, name="leave"),
    path("migrations/<slug:reference>/", include(migration_pages)),
]
