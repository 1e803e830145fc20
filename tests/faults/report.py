"""How long a run is, and the file that keeps what the long one found."""

import json
import os
from typing import Any

from tests.support.servers import ROOT

FILE = ROOT / "bench" / "faults.json"
LONG = os.environ.get("FAULTS") == "long"  # make faults


def keep(**found: Any) -> None:
    """Write down what a part of the long run found, beside the other parts."""
    if not LONG:
        return
    kept = json.loads(FILE.read_text("utf-8")) if FILE.exists() else {}
    for name, value in found.items():
        kept[name] = {**kept.get(name, {}), **value} if isinstance(value, dict) else value
    FILE.write_text(json.dumps(kept, indent=2) + "\n", "utf-8")
