"""Addresses of plans; a version is named by its plan and its number, a draft by its plan."""

from django.urls import include, path, register_converter

from . import views

app_name = "plans"
register_converter(views.KindConverter, "kind")

version_pages = [
    path("", views.version, name="version"),
    path("plan.yaml", views.export, name="export"),
    path("plan.xlsx", views.export_workbook, name="export_workbook"),
    path("draft/", views.start_draft, name="start_draft"),
    path("preview/", views.preview, name="preview"),
    path("check/", views.check_version, name="check"),
    path("publish/", views.publish, name="publish"),
    path("retire/", views.retire, name="retire"),
    path("discard/", views.discard, name="discard"),
]

# A key may be any word, so what acts on a part stands behind it.
draft_pages = [
    path("", views.draft, name="draft"),
    path("details/", views.draft_details, name="draft_details"),
    path("changes/", views.draft_changes, name="draft_changes"),
    path("changes/<int:number>/take-back/", views.draft_take_back, name="draft_take_back"),
    path("go-live/", views.draft_go_live, name="draft_go_live"),
    path("lessons/", views.draft_lessons, name="draft_lessons"),
    path("lessons/<kind:kind>/<str:key>/", views.draft_lessons_of, name="draft_lessons_of"),
    path("lessons/<kind:kind>/<str:key>/adopt/", views.draft_adopt, name="draft_adopt"),
    path("add/<kind:kind>/", views.draft_add, name="draft_add"),
    path("due/<kind:kind>/", views.draft_due, name="draft_due"),
    path("<kind:kind>/", views.draft_parts, name="draft_parts"),
    path("phases/<str:key>/tasks/", views.draft_tasks, name="draft_tasks"),
    path("phases/<str:key>/merge/", views.draft_merge, name="draft_merge"),
    path("<kind:kind>/<str:key>/", views.draft_edit, name="draft_edit"),
    path("<kind:kind>/<str:key>/remove/", views.draft_remove, name="draft_remove"),
    path("<kind:kind>/<str:key>/move/", views.draft_move, name="draft_move"),
]

urlpatterns = [
    path("plans/", views.plans, name="plans"),
    path("plans/new/", views.new, name="new"),
    path("plans/upload/", views.upload, name="upload"),
    path("plans/plan.schema.json", views.schema, name="schema"),
    path("plans/<slug:slug>/import/", views.import_workbook, name="import"),
    path("plans/<slug:slug>/draft/", include(draft_pages)),
    path("plans/<slug:slug>/<int:number>/", include(version_pages)),
]
