"""Load a plan from a YAML file."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from practices.common import clock
from practices.plans import services
from practices.plans.yaml import PlanFileError, read_plan


class Command(BaseCommand):
    help = "Load a plan from a YAML file as a draft; unchanged content makes no new version."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--publish", action="store_true", help="publish it at once")

    def handle(self, *, file: Path, publish: bool, **_: Any) -> None:
        try:
            tree = read_plan(file.read_bytes(), file=file.name)
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
        except PlanFileError as error:
            raise CommandError(str(error)) from error
        at = clock.now()
        loaded = services.load_plan(tree=tree, by=None, at=at)
        version = loaded.version
        said = "loaded as a draft" if loaded.is_new else "there already, unchanged"
        if publish and version.state == version.State.DRAFT:
            version = services.publish(version=version, by=None, at=at)
            said = "published"
        self.stdout.write(f"{version}: {said}.")
