"""The organisations and systems that ship with the product (guide.md H)."""

from datetime import datetime
from pathlib import Path
from typing import Any

import yaml
from django.db import transaction

from practices.common.services import SITE_STREAM, record_event
from practices.directory.models import ClinicalSystem, Organisation, Succession

from ._lock import lock_directory

SHIPPED = Path(__file__).resolve().parent.parent / "reference.yaml"


@transaction.atomic
def load_reference_data(*, at: datetime) -> int:
    """Bring in what is missing of reference.yaml; returns how many rows were written.

    What somebody has changed stays: only a name that is still the bare code, as an
    import leaves it, and empty dates are filled in. Running it again writes nothing.
    Raises :class:`Refused` while an import runs.
    """
    lock_directory()
    data = yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))
    written = 0
    for kind, organisations in data["organisations"].items():
        for code, said in organisations.items():
            written += _organisation(Organisation.Kind(kind), code, said)
    codes = dict(Organisation.objects.values_list("code", "pk"))
    for said in data["successions"]:
        for successor in said["by"]:
            _, made = Succession.objects.get_or_create(
                predecessor_id=codes[said["of"]],
                successor_id=codes[successor],
                defaults={"day": said["day"]},
            )
            written += made
    for name, supplier in data["systems"].items():
        _, made = ClinicalSystem.objects.get_or_create(
            name=name, defaults={"supplier_id": codes[supplier]}
        )
        written += made
    if written:
        record_event(
            stream=SITE_STREAM,
            kind="reference_data.loaded",
            by=None,
            at=at,
            data={"written": written},
        )
    return written


def _organisation(kind: Organisation.Kind, code: str, said: dict[str, Any]) -> bool:
    organisation, made = Organisation.objects.get_or_create(
        code=code, defaults={"kind": kind, **said}
    )
    missing = {
        name: value
        for name, value in said.items()
        if getattr(organisation, name) in (None, organisation.code) and value != code
    }
    if missing and not made:
        for name, value in missing.items():
            setattr(organisation, name, value)
        organisation.save(update_fields=list(missing))
    return made or bool(missing)
