"""The start commands of the three kinds of process, the same here as in docker-compose.yml."""

import os
import sys
from pathlib import Path

# Where they are found: beside this Python, whether or not the virtual environment is activated.
PATH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"

WEB = ["gunicorn", "--config=python:migration_tracker.gunicorn"]
WORKER = ["celery", "--app=migration_tracker", "worker", "--concurrency=2"]
BEAT = ["celery", "--app=migration_tracker", "beat"]
