"""Pages that exist only on a person's own machine."""

from django.urls import path

from . import views

urlpatterns = [
    path("mail/", views.mailbox, name="dev_mail"),
    path("mail/<str:name>/", views.mail, name="dev_mail_message"),
]
