"""Addresses of the home page, of one's own tasks and of the dashboard."""

from django.urls import include, path

from . import views

portfolio_pages = [
    path("", views.dashboard, name="dashboard"),
    path("migrations.csv", views.export, name="export"),
]

urlpatterns = [
    path("", views.home, name="home"),
    path("your-tasks/", views.your_tasks, name="your_tasks"),
    path("portfolio/", include((portfolio_pages, "portfolio"))),
]
