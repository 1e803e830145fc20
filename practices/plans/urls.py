"""Addresses of plans; a version is named by its plan and its number."""

from django.urls import include, path

from . import views

app_name = "plans"

version_pages = [
    path("", views.version, name="version"),
    path("plan.yaml", views.export, name="export"),
    path("publish/", views.publish, name="publish"),
    path("retire/", views.retire, name="retire"),
    path("discard/", views.discard, name="discard"),
]

urlpatterns = [
    path("plans/", views.plans, name="plans"),
    path("plans/upload/", views.upload, name="upload"),
    path("plans/<slug:slug>/<int:number>/", include(version_pages)),
]
