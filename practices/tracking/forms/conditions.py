"""What is asked about a practice, because tasks of its plan depend on it."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms

from practices.common.forms import NHSForm
from practices.plans.models import PlanCondition

from .tasks import LONGEST_REASON, NO_PATIENTS

PREFIX = "answer_"
CHOICES = [("yes", "Yes"), ("no", "No"), ("unknown", "Not known yet")]
VALUES = {"yes": True, "no": False, "unknown": None}
WORDS = {value: key for key, value in VALUES.items()}


def _answer(question: str, *, widget: type[forms.Widget] = forms.RadioSelect) -> forms.Field:
    return forms.TypedChoiceField(
        label=question,
        choices=CHOICES,
        coerce=VALUES.__getitem__,
        widget=widget,
        error_messages={"required": f"Select yes, no or not known yet: {question}"},
    )


class QuestionsForm(NHSForm):
    """Every condition of a plan, as a migration is started."""

    submit_text = "Show the dates"
    answered = forms.CharField(widget=forms.HiddenInput, initial="1")

    def __init__(
        self,
        data: Mapping[str, Any] | None,
        *,
        conditions: Iterable[PlanCondition],
        known: Mapping[str, bool | None],
    ) -> None:
        initial = {f"{PREFIX}{key}": WORDS[answer] for key, answer in known.items()}
        super().__init__(data, initial=initial)
        for row in conditions:
            self.fields[f"{PREFIX}{row.key}"] = _answer(row.question)

    @property
    def answers(self) -> dict[str, bool | None]:
        return {
            name.removeprefix(PREFIX): value
            for name, value in self.cleaned_data.items()
            if name.startswith(PREFIX)
        }


class AnswerForm(NHSForm):
    """One condition of a running migration; ``seen`` is the answer the person looked at."""

    submit_text = "Save the answer"
    seen = _answer("Answer so far", widget=forms.HiddenInput)
    reason = forms.CharField(
        label="Reason (optional)",
        required=False,
        max_length=LONGEST_REASON,
        help_text="Needed where a sign-off speaks for tasks that are to do again. It is kept in "
        f"the history. {NO_PATIENTS}",
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, *args: Any, question: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["answer"] = _answer(question)
        self.order_fields(["seen", "answer", "reason"])
