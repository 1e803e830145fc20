"""Addresses of the pages about people. Ending a role is on a page of tracking: it has tasks."""

from django.urls import path

from .views import invitation

app_name = "accounts"
urlpatterns = [
    path("invitations/<int:pk>/", invitation.invitation, name="invitation"),
    path("invitations/<int:pk>/<str:token>/", invitation.invited, name="invited"),
]
