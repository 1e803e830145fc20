"""What people type and hand in on the pages of the directory."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files import File

from practices.common.errors import Refused
from practices.common.files import TABLE, check_upload
from practices.common.forms import NHSForm

from .practice_file import check_practice_file


class ImportForm(NHSForm):
    """A practice list; one that is wrong as a whole is refused before anything is kept."""

    submit_text = "Import practices"

    file = forms.FileField(
        label="Practice list",
        help_text="The ODS file epraccur (CSV), or a CSV file with a header row.",
        widget=forms.FileInput(attrs={"accept": ".csv,.txt"}),
        error_messages={
            "required": "Choose the file to import",
            "empty": "The file is empty.",
        },
    )
    all_settings = forms.BooleanField(
        label="Also import what is not a GP practice (any prescribing setting)",
        required=False,
    )

    def clean_file(self) -> File:
        upload: Any = self.cleaned_data["file"]
        try:
            check_upload(upload=upload, allowed=TABLE, megabytes=settings.IMPORT_MAX_MB)
            check_practice_file(upload)
        except Refused as refusal:
            raise ValidationError(str(refusal)) from refusal
        return upload
