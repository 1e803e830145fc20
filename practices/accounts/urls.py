"""Addresses of the pages about people. Ending a role is on a page of tracking: it has tasks."""

from django.urls import path

from .views import invitation, inviting, many, own, people, viewing

app_name = "accounts"
urlpatterns = [
    path("invitations/<int:pk>/", invitation.invitation, name="invitation"),
    path("invitations/<int:pk>/<str:token>/", invitation.invited, name="invited"),
    path("account/", own.account, name="own"),
    path("people/", people.people, name="people"),
    path("people/<int:pk>/", people.person, name="person"),
    path("people/<int:pk>/roles/", people.give_role, name="give_role"),
    path("people/<int:pk>/close/", people.close, name="close"),
    path("people/<int:pk>/open/", people.reopen, name="open"),
    path("people/<int:pk>/view-as/", viewing.start, name="view_as"),
    path("people/view-as/stop/", viewing.stop, name="stop_viewing"),
    path("people/roles/<int:pk>/deputy/", people.deputy, name="deputy"),
    path("people/invite/", inviting.invite, name="invite"),
    path("people/invite-many/", many.invite_many, name="invite_many"),
    path("people/invite-many/rejected.csv", many.rejected, name="rejected_invitations"),
    path("people/invitations/<int:pk>/send-again/", inviting.send_again, name="send_again"),
    path("people/invitations/<int:pk>/withdraw/", inviting.withdraw, name="withdraw_invitation"),
]
