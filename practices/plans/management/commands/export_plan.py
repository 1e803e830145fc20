"""Write a plan as YAML."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from practices.plans.models import PlanVersion
from practices.plans.queries import tree_of, with_parts
from practices.plans.yaml import write_plan


class Command(BaseCommand):
    help = "Write a plan as YAML to standard output: the published version, or the one named."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        # Django's commands have a --version of their own.
        parser.add_argument("--number", type=int, help="the version's number")

    def handle(self, *, slug: str, number: int | None, **_: Any) -> None:
        versions = with_parts().filter(plan__slug=slug)
        if number is None:
            version = versions.filter(state=PlanVersion.State.PUBLISHED).first()
        else:
            version = versions.filter(number=number).first()
        if version is None:
            which = "published version" if number is None else f"version {number}"
            raise CommandError(f"There is no {which} of a plan {slug!r}.")
        self.stdout.write(write_plan(tree_of(version)), ending="")
