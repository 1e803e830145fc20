"""A plan handed in as a file or as text."""

from collections.abc import Sequence
from typing import Any

from django import forms

from practices.common.forms import NHSForm
from practices.plans.rules import PlanTree
from practices.plans.yaml import MAX_BYTES, PlanFileError, read_plan

PASTED = "The text"


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
    faults: Sequence[tuple[int, str]] = ()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        upload, text = cleaned.get("file"), cleaned.get("text", "")
        if not upload and not text.strip():
            if not self.has_error("file"):
                self.add_error("file", "Choose a plan file, or paste a plan as text")
            return cleaned
        content = upload.read(MAX_BYTES + 1) if upload else text
        try:
            self.tree = read_plan(content, file=upload.name if upload else PASTED)
        except PlanFileError as error:
            self._show(error, content)
        return cleaned

    def _show(self, error: PlanFileError, content: bytes | str) -> None:
        self.faults = [
            (problem.place.line, f"{error.file}, {problem}") for problem in error.problems
        ]
        count = len(error.problems) + error.left_out
        faults = "1 fault" if count == 1 else f"{count} faults"
        self.add_error("text", f"Mend {faults} in the plan, here or in your file")
        if isinstance(content, bytes) and len(content) <= MAX_BYTES:
            # The bound data is an immutable QueryDict; the box shows what this copy holds.
            text = content.decode("utf-8-sig", errors="replace").replace("\0", "�")
            self.data = {**self.data, "text": text}
