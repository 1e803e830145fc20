"""What an administrator hands in and types."""

from .choosing import PhaseChoice
from .files import UploadForm, WorkbookForm
from .gates import GateForm
from .parts import PartForm
from .small import ConditionForm, DetailsForm, KeyDateForm, PhaseForm
from .tasks import READS, BulkForm, TaskForm
from .timing import ClockForm, ReminderForm
from .versions import NewPlanForm, PreviewForm, PublishForm, SampleForm

FORMS: dict[str, type[PartForm]] = {
    form.kind: form
    for form in (
        *(DetailsForm, KeyDateForm, PhaseForm, TaskForm, GateForm, ClockForm),
        *(ReminderForm, ConditionForm),
    )
}

__all__ = [
    "FORMS",
    "READS",
    "BulkForm",
    "NewPlanForm",
    "PartForm",
    "PhaseChoice",
    "PreviewForm",
    "PublishForm",
    "SampleForm",
    "TaskForm",
    "UploadForm",
    "WorkbookForm",
]
