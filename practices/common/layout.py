"""What a form's layout may hold besides fields and crispy's own Fieldset, Div and Field."""

from typing import Any

from crispy_forms.layout import LayoutObject
from django.template.loader import render_to_string
from django.utils.safestring import SafeString


class Submit:
    """A submit button.

    ``variant`` is "", "secondary" or "warning"; ``name`` and ``value`` tell the view which button
    was pressed. A second press within a second is ignored by the browser script.
    """

    def __init__(self, text: str, *, name: str = "", value: str = "", variant: str = "") -> None:
        self.context = {"text": text, "name": name, "value": value, "variant": variant}

    def render(self, *_: Any, template_pack: str = "nhsuk", **__: Any) -> SafeString:
        return render_to_string(f"{template_pack}/layout/submit.html", self.context)


class Link:
    """A plain link beside the buttons, for example "Cancel"."""

    def __init__(self, text: str, url: str) -> None:
        self.context = {"text": text, "url": url}

    def render(self, *_: Any, template_pack: str = "nhsuk", **__: Any) -> SafeString:
        return render_to_string(f"{template_pack}/layout/link.html", self.context)


class ButtonGroup(LayoutObject):
    """Buttons and links in one row; one under the other on a phone."""

    def __init__(self, *fields: Submit | Link) -> None:
        self.fields = list(fields)

    def render(self, form: Any, context: Any, template_pack: str = "nhsuk", **_: Any) -> SafeString:
        buttons = self.get_rendered_fields(form, context, template_pack)
        return render_to_string(f"{template_pack}/layout/button_group.html", {"buttons": buttons})
