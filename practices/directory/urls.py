from django.urls import path

from . import views

app_name = "directory"
urlpatterns = [
    path("directory/practices/", views.practices, name="practices"),
    path("directory/practices/find/", views.find, name="find"),
    path("directory/practices/<str:code>/", views.practice, name="practice"),
    path("directory/import/", views.upload, name="import"),
    path("directory/import/<int:job_id>/", views.import_job, name="import_job"),
    path("directory/import/<int:job_id>/rejected.csv", views.rejected, name="rejected"),
]
