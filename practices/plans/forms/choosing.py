"""Choosing where something of a draft goes."""

from typing import Any

from django import forms

from practices.common.forms import NHSForm
from practices.plans.rules import PlanTree


class PhaseChoice(NHSForm):
    """Another phase: to move a task to, or to merge a phase into."""

    phase = forms.ChoiceField(label="Phase", error_messages={"required": "Select a phase"})

    def __init__(
        self, *args: Any, tree: PlanTree, without: str, label: str, submit: str, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.submit_text = submit
        field: Any = self.fields["phase"]
        field.label = label
        others = [(one.key, one.title) for one in tree.phases if one.key != without]
        field.choices = [("", "Select a phase"), *others]
