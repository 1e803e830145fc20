"""Addresses of the home page and of the dashboard."""

from django.urls import include, path

from . import views

portfolio_pages = [
    path("", views.dashboard, name="dashboard"),
    path("migrations.csv", views.export, name="export"),
]

urlpatterns = [
    path("", views.home, name="home"),
    path("portfolio/", include((portfolio_pages, "portfolio"))),
]
