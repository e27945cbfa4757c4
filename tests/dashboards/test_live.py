"""Every query against a real Prometheus that scrapes a real router under the demo's load.

A query must succeed and show a number, unless it stands in `MAY_BE_EMPTY` with its reason.
"""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from tools import RULES, alerts, dashboard, panels, program, run, surgeline

# Seconds until everything must have shown a number; the demo goes on for longer.
PATIENCE = 75.0
DEMO = "120s"
# The dashboard's variables, as Grafana fills them in; `$__rate_interval` is at least four
# scrapes.
VALUES = {"job": ".*", "queue": ".*", "window": "1m", "__rate_interval": "5s", "__range": "1m"}
CHOSEN = {**VALUES, "job": "surgeline", "queue": "(calls|letters)"}

# Alerts about faults: the demo has none, so these must stay empty all the time.
FAULTS = {
    "SurgelineConservationBroken", "SurgelineDoubleReservation", "SurgelineReplicaDiverged",
    "SurgelineReservationStuck", "SurgelineDown", "SurgelineNotScraped", "SurgelineRestarting",
    "SurgelineJournalStalled", "SurgelineArrivalsTurnedAway", "SurgelineCommandsTurnedAway",
    "SurgelineNobodyAtWork", "SurgelineNoGateway", "SurgelineLimitReached",
    "SurgelineSafetyDiverted", "SurgelinePlaceLost", "SurgelineBouncedTwice",
    "SurgelineConfigInvalid",
}
# Alerts about load, people and the machine: whether the demo makes these is chance.
CHANCE = {
    "SurgelineSafetyWaiting", "SurgelineOldestWait", "SurgelineServiceLevelLow",
    "SurgelineAbandonmentHigh", "SurgelineNoAgentReady", "SurgelineAgentsLost",
    "SurgelineConnectFailing", "SurgelineManyRefusals", "SurgelineSessionsCutOff",
    "SurgelineReplicaLagging", "SurgelineJournalSyncSlow", "SurgelineSafetyClassWaiting",
    "SurgelineTextsFailing", "SurgelinePagesFailing", "SurgelineTierFailing",
}
# Alerts about what is owed: the demo promises nothing and has nothing to make good.
OWED = {
    "SurgelinePromisesLate", "SurgelinePromisesBroken", "SurgelineRecoveriesOverdue",
    "SurgelineRecoveriesUnled", "SurgelineCallbacksExhausted",
}
MAY_BE_EMPTY = FAULTS | CHANCE | OWED


def filled(text: str, values: dict[str, str]) -> str:
    """A query with its variables filled in."""
    return re.sub(r"\$\{?(\w+)\}?", lambda found: values[found[1]], text)


def listening(pid: int) -> list[int]:
    """The loopback ports that a process listens on."""
    sockets = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            sockets.add(os.readlink(entry))
        except OSError:
            continue
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return [int(row[1].split(":")[1], 16) for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in sockets]


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read().decode()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def soon(what: str, look, patience: float = 30.0):
    """What `look` gives once it gives something."""
    until = time.monotonic() + patience
    while True:
        try:
            found = look()
        except OSError:
            found = None
        if found:
            return found
        if time.monotonic() > until:
            raise AssertionError(f"no {what} within {patience:.0f} s")
        time.sleep(0.2)


class Live(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="surgeline-dash-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.demo = cls.start("demo", [surgeline(), "demo", "--for", DEMO, "--json"])
        cls.target = soon("metrics of the demo", cls.find_metrics)
        cls.configure()
        port = free_port()
        cls.prometheus = cls.start("prometheus", [
            program("prometheus"), f"--config.file={cls.folder}/prometheus.yml",
            f"--storage.tsdb.path={cls.folder}/tsdb", f"--web.listen-address=127.0.0.1:{port}",
            "--log.level=warn",
        ])
        cls.api = f"http://127.0.0.1:{port}/api/v1"
        soon("Prometheus", lambda: cls.prometheus.poll() is None and get(f"http://127.0.0.1:{port}/-/ready"))

    @classmethod
    def start(cls, name: str, command: list[str]) -> subprocess.Popen:
        """Starts a program that is stopped at the end, whatever happens."""
        with (cls.folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=cls.folder,
            )

        def stop():
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()

        cls.addClassCleanup(stop)
        return process

    @classmethod
    def find_metrics(cls) -> str | None:
        if cls.demo.poll() is not None:
            raise AssertionError((cls.folder / "demo.log").read_text()[-2_000:])
        for port in listening(cls.demo.pid):
            try:
                if "surgeline_build_info{" in get(f"http://127.0.0.1:{port}/metrics"):
                    return f"127.0.0.1:{port}"
            except (OSError, ValueError, urllib.error.URLError):
                continue
            except Exception as other:  # gRPC answers HTTP/1 with what http.client refuses.
                if type(other).__module__ != "http.client":
                    raise
        return None

    @classmethod
    def configure(cls):
        """Our own configuration, with the demo's address and everything each second."""
        text = (RULES / "prometheus.yml").read_text()
        for ours, here in [
            ("127.0.0.1:9464", cls.target), ("scrape_interval: 5s", "scrape_interval: 1s"),
            ("scrape_timeout: 4s", "scrape_timeout: 1s"), ("evaluation_interval: 5s", "evaluation_interval: 1s"),
        ]:
            if text.count(ours) != 1:
                raise AssertionError(f"prometheus.yml should have `{ours}` once")
            text = text.replace(ours, here)
        (cls.folder / "prometheus.yml").write_text(text)
        for file in ("site.yml", "recording.yml", "alerts.yml"):
            shutil.copy(RULES / file, cls.folder / file)
        checked = run(program("promtool"), "check", "config", cls.folder / "prometheus.yml")
        if checked.returncode != 0:
            raise AssertionError(checked.stdout)

    def ask(self, path: str, **fields: str | float):
        """What Prometheus answers; a query that it refuses fails the test."""
        query = urllib.parse.urlencode(fields)
        try:
            answer = json.loads(get(f"{self.api}/{path}?{query}"))
        except urllib.error.HTTPError as error:
            self.fail(f"{fields}: {error.read().decode()}")
        self.assertEqual(answer["status"], "success", fields)
        return answer["data"]

    def numbers(self, expr: str, instant: bool = True) -> int:
        """How many finite numbers a query gives; as a graph, those of the last seconds."""
        if instant:
            values = [[series["value"]] for series in self.ask("query", query=expr)["result"]]
        else:
            now = time.time()
            data = self.ask("query_range", query=expr, start=now - 10, end=now, step=1)
            values = [series["values"] for series in data["result"]]
        return sum(math.isfinite(float(value)) for series in values for _, value in series)

    def all_show_numbers(self, wanted: dict[str, tuple[str, bool]]):
        """Each query, by its name, gives a number soon."""
        until = time.monotonic() + PATIENCE
        left = wanted
        while left:
            left = {name: query for name, query in left.items() if not self.numbers(*query)}
            if left and time.monotonic() > until:
                self.fail("no number from:\n" + "\n".join(f"{n}: {e}" for n, (e, _) in left.items()))
            if left:
                time.sleep(1)
        self.assertIsNone(self.demo.poll(), "the demo ended meanwhile")

    def evaluated(self) -> list[dict]:
        """The groups of rules, once all have been evaluated without an error."""
        groups = self.ask("rules")["groups"]
        well = all(rule["health"] == "ok" for group in groups for rule in group["rules"])
        return groups if well else []

    def test_every_panel_s_queries(self):
        asked = {}
        for panel in panels():
            for target in panel["targets"]:
                name = f"{panel['title']} {target['refId']}"
                asked[name] = (filled(target["expr"], VALUES), target["instant"])
                self.assertNotIn("$", asked[name][0], name)
                # Narrowed to a site and two queues it must be a query all the same.
                self.ask("query", query=filled(target["expr"], CHOSEN))
        self.assertGreater(len(asked), 40)
        self.all_show_numbers(asked)

    def test_every_variable_offers_values(self):
        listed = [v for v in dashboard()["templating"]["list"] if v["type"] == "query"]
        self.assertEqual([v["name"] for v in listed], ["job", "queue"])
        for variable in listed:
            series, label = re.fullmatch(
                r"label_values\((.*), (\w+)\)", variable["query"]["query"]).groups()
            fields = {"match[]": filled(series, VALUES)}
            found = soon(variable["name"], lambda: self.ask(f"label/{label}/values", **fields))
            self.assertIn("surgeline" if label == "job" else "safety", found)

    def test_every_window_that_can_be_chosen(self):
        [window] = [v for v in dashboard()["templating"]["list"] if v["name"] == "window"]
        self.assertEqual([o["value"] for o in window["options"]], window["query"].split(","))
        expr = next(p for p in panels() if "F4" in p["title"])["targets"][0]["expr"]
        asked = {w: (filled(expr, {**VALUES, "window": w}), True) for w in window["query"].split(",")}
        self.all_show_numbers(asked)

    def test_every_rule(self):
        self.assertEqual(set(alerts()), MAY_BE_EMPTY, "say here whether the demo makes it fire")
        groups = soon("evaluation of all rules", self.evaluated)
        rules = [rule for group in groups for rule in group["rules"]]
        self.assertEqual({rule["name"] for rule in rules if rule["type"] == "alerting"}, MAY_BE_EMPTY)
        recorded = {}
        for rule in rules:
            self.assertEqual(rule.get("lastError", ""), "", rule["name"])
            if rule["type"] == "recording":
                self.assertRegex(rule["name"], r"^[a-z_]+:[a-z0-9_]+:[a-z0-9_]+$")
                recorded[rule["name"]] = (rule["name"], True)
                recorded[f"the expression of {rule['name']}"] = (rule["query"], True)
                continue
            self.ask("query", query=rule["query"])
            self.assertIn(rule["labels"]["severity"], ("critical", "warning"), rule["name"])
            self.assertGreater(len(rule["annotations"]["summary"]), 20, rule["name"])
            self.assertGreater(len(rule["annotations"]["description"]), 60, rule["name"])
        self.assertGreater(len(recorded), 40)
        self.all_show_numbers(recorded)

    def test_no_alert_about_a_fault(self):
        # Some history first, whichever test ran before.
        soon("history", lambda: self.numbers('count_over_time(up{job="surgeline"}[5m]) > 15'))
        active = self.ask("alerts")["alerts"]
        for alert in active:
            self.assertNotIn(alert["labels"]["alertname"], FAULTS | OWED, alert)
            self.assertNotIn("error", alert["annotations"]["summary"].lower(), alert)
        for group in self.ask("rules")["groups"]:
            for rule in group["rules"]:
                if rule["name"] in FAULTS | OWED:
                    self.assertEqual(self.ask("query", query=rule["query"])["result"], [], rule["name"])


if __name__ == "__main__":
    unittest.main()
