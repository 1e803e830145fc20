"""Addresses of the home page, of one's own tasks and of the dashboard."""

from django.urls import include, path

from . import upgrades, views

portfolio_pages = [
    path("", views.dashboard, name="dashboard"),
    path("migrations.csv", views.export, name="export"),
    path("upgrades/<int:pk>/", upgrades.run, name="upgrade_run"),
    path("upgrades/<int:pk>/report.csv", upgrades.report, name="upgrade_report"),
    path("upgrades/<int:pk>/go-on/", upgrades.go_on, name="go_on_upgrades"),
    path("upgrades/<int:pk>/undo/", upgrades.undo_all, name="undo_upgrades"),
    path("upgrades/<int:pk>/undo/<int:item>/", upgrades.undo, name="undo_upgrade"),
    path("upgrades/<slug:slug>/<int:number>/", upgrades.choose, name="upgrades"),
    path("upgrades/<slug:slug>/<int:number>/check/", upgrades.check, name="check_upgrades"),
    path("upgrades/<slug:slug>/<int:number>/start/", upgrades.begin, name="start_upgrades"),
]

urlpatterns = [
    path("", views.home, name="home"),
    path("your-tasks/", views.your_tasks, name="your_tasks"),
    path("portfolio/", include((portfolio_pages, "portfolio"))),
]
