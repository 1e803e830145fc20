"""A plan handed in as a file or as text."""

import codecs
from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.text import capfirst

from practices.common.files import MEGABYTE, clean_name
from practices.common.forms import NHSForm
from practices.plans.rules import PlanTree
from practices.plans.xlsx import COMPOUND, MAX_MEGABYTES, read_workbook
from practices.plans.yaml import MAX_BYTES, PlanFileError, read_plan

PASTED = "the text"
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class PlanText(forms.Textarea):
    """Room for a long text: the template pack's own boxes have five rows."""

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        return super().get_context(name, value, {**(attrs or {}), "rows": 20})


class UploadForm(NHSForm):
    """A plan file or its text: gives the checked ``tree``, else each fault with its line.

    The text of a file that has faults is put into the box, to be mended there.
    """

    submit_text = "Check and load"

    file = forms.FileField(
        label="Plan file",
        required=False,
        help_text="A YAML file of at most 2 MB, such as one exported from another version.",
    )
    text = forms.CharField(
        label="Or the plan as text",
        required=False,
        strip=False,
        help_text="Used when no file is chosen.",
        widget=PlanText(attrs={"spellcheck": "false"}),
    )

    tree: PlanTree | None = None
    file_name = PASTED
    faults: Sequence[tuple[int, str]] = ()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        upload, text = cleaned.get("file"), cleaned.get("text", "")
        if not upload and not text.strip():
            if not self.has_error("file"):
                self.add_error("file", "Choose a plan file, or paste a plan as text")
            return cleaned
        content = upload.read(MAX_BYTES + 1) if upload else text
        if upload:
            self.file_name = clean_name(upload.name)
        if isinstance(content, bytes) and (other := _another_kind(content)):
            self.add_error("file", other)
            return cleaned
        try:
            self.tree = read_plan(content, file=self.file_name)
        except PlanFileError as error:
            self._show(error, content)
        return cleaned

    def _show(self, error: PlanFileError, content: bytes | str) -> None:
        self.faults = [
            (
                problem.place.line,
                f"{capfirst(error.file) if error.file == PASTED else error.file}, {problem}",
            )
            for problem in error.problems
        ]
        self.add_error("text", f"Mend {_counted(error)} in the plan, here or in your file")
        if isinstance(content, bytes) and len(content) <= MAX_BYTES:
            # The bound data is an immutable QueryDict; the box shows what this copy holds.
            text = content.decode("utf-8-sig", errors="replace").replace("\0", "�")
            self.data = {**self.data, "text": text}


def _another_kind(content: bytes) -> str:
    """What a file is that cannot be the text of a plan, and what to do; nothing for a text."""
    if content.startswith(b"PK") and b"xl/workbook.xml" in content:
        return (
            "This is an Excel workbook. Take it in on the page of its plan, under "
            "“Import a spreadsheet”"
        )
    if content.startswith(COMPOUND):
        return "This is an old Office file, or it has a password. Choose a YAML file"
    if content.startswith(b"%PDF"):
        return "This is a PDF. Choose a YAML file"
    # UTF-16 has such bytes too: how to save it otherwise is said by its line.
    if (content.startswith(b"PK") or b"\0" in content) and not content.startswith(UTF_16):
        return "This is not a text file. Choose a YAML file"
    return ""


class WorkbookForm(NHSForm):
    """A plan as a workbook: gives the checked ``tree``, else each fault with its cell."""

    submit_text = "Check and compare"

    file = forms.FileField(
        label="Spreadsheet",
        help_text=f"An Excel workbook (.xlsx) of at most {MAX_MEGABYTES} MB, exported from here.",
        error_messages={"required": "Choose a spreadsheet"},
    )

    tree: PlanTree | None = None
    file_name = ""
    faults: Sequence[str] = ()

    def __init__(self, *args: Any, slug: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.slug = slug

    def clean_file(self) -> Any:
        upload = self.cleaned_data["file"]
        self.file_name = clean_name(upload.name)
        try:
            tree = read_workbook(upload.read(MAX_MEGABYTES * MEGABYTE + 1), file=self.file_name)
        except PlanFileError as error:
            self.faults = [f"{error.file}, {problem}" for problem in error.problems]
            raise forms.ValidationError(
                f"Mend {_counted(error)} in the spreadsheet, then choose it again"
            ) from error
        if tree.slug != self.slug:
            raise forms.ValidationError(
                f"This is another plan: the sheet Plan says slug “{tree.slug}”, not “{self.slug}”"
            )
        self.tree = tree
        return upload


def _counted(error: PlanFileError) -> str:
    count = len(error.problems) + error.left_out
    return "1 fault" if count == 1 else f"{count} faults"
