"""Write the JSON Schema of plan files."""

import json
from typing import Any

from django.core.management.base import BaseCommand

from practices.plans.yaml import plan_schema


class Command(BaseCommand):
    help = "Write the JSON Schema of plan files to standard output, for editors to check with."

    def handle(self, **_: Any) -> None:
        self.stdout.write(json.dumps(plan_schema(), indent=2, ensure_ascii=False))
