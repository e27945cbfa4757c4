"""The dashboard by Grafana's own types, and by what types do not say."""

from __future__ import annotations

import json
import os
import re
import tempfile
import unittest
from itertools import combinations
from pathlib import Path

from tools import DASHBOARD, HERE, dashboard, panels, run

# The units in use, each seen in the list of @grafana/data; `suffix:` takes any text.
UNITS = {"none", "s", "percentunit", "cps"}
# Made by Grafana, not by the dashboard.
BUILT_IN = {"__rate_interval", "__range"}
# Each is one mistake that the compiler must see.
MISTAKES = [
    ('"graphTooltip": 1', '"graphTooltip": 7'),
    ('"displayMode": "table"', '"displayMode": "tabel"'),
    ('"lineWidth": 1', '"lineWidht": 1'),
    ('"colorMode": "background"', '"colorMode": "red"'),
    ('"mode": "palette-classic-by-name"', '"mode": "palette"'),
    ('"type": "timeseries"', '"type": "graph"'),
    ('"expr": ', '"query": '),
    ('"legendFormat": ', '"legend": '),
    ('"description": ', '"descripton": '),
    ('"unit": ', '"units": '),
    ('"editable": ', '"editible": '),
    ('"type": "datasource"', '"type": "data-source"'),
]
COMPILER = {
    "noEmit": True, "strict": True, "target": "es2022", "module": "esnext",
    "moduleResolution": "bundler", "skipLibCheck": True, "types": [],
}


class Grafana(unittest.TestCase):
    def test_grafana_s_types_take_it_and_see_mistakes(self):
        npm = Path(os.environ.get("NPM", ""))
        compiler = npm / "node_modules" / ".bin" / "tsc"
        if not (compiler.exists() and (npm / "node_modules" / "@grafana" / "schema").exists()):
            self.fail("set NPM to a folder with typescript and @grafana/schema, or use tests/run")
        text = DASHBOARD.read_text()
        files = {"right.ts": text}
        for number, (right, wrong) in enumerate(MISTAKES):
            self.assertIn(right, text, "it is no longer in the dashboard")
            files[f"wrong{number}.ts"] = text.replace(right, wrong, 1)
        # Below $NPM, so that the compiler finds the packages.
        with tempfile.TemporaryDirectory(dir=npm) as folder:
            for name, body in files.items():
                head = "import type { Surgeline } from './grafana';\nexport const dashboard: Surgeline =\n"
                Path(folder, name).write_text(head + body)
            Path(folder, "grafana.ts").write_text((HERE / "grafana.ts").read_text())
            config = {"compilerOptions": COMPILER, "files": [*files, "grafana.ts"]}
            Path(folder, "tsconfig.json").write_text(json.dumps(config))
            compiled = run(compiler, "--pretty", "false", "-p", ".", cwd=Path(folder))
        complained = set(re.findall(r"^(\w+\.ts)\(", compiled.stdout, re.M))
        about = [line for line in compiled.stdout.splitlines() if not line.startswith("wrong")]
        self.assertFalse({"right.ts", "grafana.ts"} & complained, "\n".join(about))
        for number, (right, wrong) in enumerate(MISTAKES):
            self.assertIn(f"wrong{number}.ts", complained, f"{right} as {wrong} was not seen")

    def test_ids_and_names_are_used_once(self):
        top = dashboard()["panels"]
        ids = [panel["id"] for panel in top] + [p["id"] for row in top for p in row.get("panels", [])]
        self.assertEqual(len(ids), len(set(ids)))
        titles = [panel["title"] for panel in panels()]
        self.assertEqual(len(titles), len(set(titles)))
        for panel in panels():
            refs = [target["refId"] for target in panel["targets"]]
            self.assertEqual(len(refs), len(set(refs)), panel["title"])

    def test_panels_lie_side_by_side(self):
        places = [(panel["title"], panel["gridPos"]) for panel in dashboard()["panels"]]
        for title, at in places:
            self.assertLessEqual(at["x"] + at["w"], 24, title)
        for (one, a), (other, b) in combinations(places, 2):
            apart = (
                a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
                or a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]
            )
            self.assertTrue(apart, f"{one} lies on {other}")

    def test_units_are_known(self):
        for panel in panels():
            unit = panel["fieldConfig"]["defaults"]["unit"]
            self.assertTrue(unit in UNITS or unit.startswith("suffix:"), f"{panel['title']}: {unit}")

    def test_every_panel_asks_the_chosen_data_source_and_says_what_to_do(self):
        for panel in panels():
            title = panel["title"]
            self.assertGreater(len(panel["description"]), 20, title)
            self.assertGreater(len(panel["targets"]), 0, title)
            for part in [panel, *panel["targets"]]:
                self.assertEqual(part["datasource"], {"type": "prometheus", "uid": "${datasource}"}, title)
            for target in panel["targets"]:
                self.assertTrue(target["expr"].strip(), title)
                self.assertTrue(target["legendFormat"].strip(), title)
                self.assertNotEqual(target["instant"], target["range"], title)

    def test_variables_are_defined_and_used(self):
        listed = {variable["name"]: variable for variable in dashboard()["templating"]["list"]}
        self.assertEqual(listed["datasource"]["type"], "datasource")
        self.assertEqual(listed["datasource"]["query"], "prometheus")
        text = json.dumps(dashboard()["panels"])
        used = set(re.findall(r"\$\{?(\w+)", text)) - BUILT_IN
        self.assertEqual(used, set(listed))

    def test_what_must_be_zero_is_red_from_one_on(self):
        rows = [panel["title"] if panel["type"] == "row" else None for panel in dashboard()["panels"]]
        begin = rows.index("Must be zero") + 1
        judged = [p for p in dashboard()["panels"][begin:begin + 6] if p["title"] != "Version"]
        # What a recall promises stands with the recall.
        promised = {"Bounced twice", "Places lost", "Safety sent to self-service"}
        judged += [p for p in panels() if p["title"] in promised]
        self.assertEqual(len(judged), 8)
        for panel in judged:
            self.assertEqual(panel["type"], "stat")
            steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
            self.assertEqual([(s["color"], s["value"]) for s in steps], [("green", None), ("red", 1)])


if __name__ == "__main__":
    unittest.main()
