"""What the dashboard tests share: where things are, and how programs are run."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = ROOT / "tests" / "dashboards"
RULES = ROOT / "dashboards" / "prometheus"
DASHBOARD = ROOT / "dashboards" / "grafana" / "surgeline.json"


def program(name: str) -> str:
    """A program of Prometheus: below $PROMETHEUS, where tests/run puts it, or on the path."""
    below = os.environ.get("PROMETHEUS")
    found = shutil.which(name, path=f"{below}/usr/bin") if below else None
    found = found or shutil.which(name)
    if not found:
        raise RuntimeError(f"{name} is not here: install Prometheus, or use tests/run")
    return found


def surgeline() -> str:
    """The router to test."""
    path = os.environ.get("SURGELINE_BIN")
    if not path:
        raise RuntimeError("set SURGELINE_BIN to the router to test, or use tests/run")
    return path


def run(*command: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Runs a program to its end; output and errors together."""
    return subprocess.run(
        [str(part) for part in command], cwd=cwd, timeout=120, text=True, check=False,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )


def dashboard() -> dict:
    return json.loads(DASHBOARD.read_text())


def panels() -> list[dict]:
    """All panels that show something, those in rows included."""
    top = dashboard()["panels"]
    below = [panel for row in top for panel in row.get("panels", [])]
    return [panel for panel in top + below if panel["type"] != "row"]


def alerts() -> list[str]:
    return re.findall(r"^ *- alert: (\w+)$", (RULES / "alerts.yml").read_text(), re.M)
