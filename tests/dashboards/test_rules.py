"""Prometheus' own judgement of configuration and rules, and what the rules say."""

from __future__ import annotations

import re
import tempfile
import unittest
from pathlib import Path

from tools import HERE, ROOT, RULES, alerts, program, run, surgeline

TESTS = HERE / "rules.test.yml"
# Each is one mistake that the rule tests must see.
MISTAKES = [
    ("abs(surgeline_conservation_difference)", "surgeline_conservation_difference"),
    ("unless on (job) job:agents_at_work:sum > 0", "unless on (job) job:agents_at_work:sum"),
    ("+ job_queue:contacts_abandoned_after_target:rate5m > 0", "+ job_queue:contacts_abandoned:rate5m > 0"),
    ('sum{outcome="answered"}[5m]', "sum[5m]"),
    ('surgeline_class_oldest_wait_seconds{class="safety"}', "surgeline_class_oldest_wait_seconds"),
    ('surgeline_texts_total{how=~"done|failed"}', "surgeline_texts_total"),
    ('surgeline_callbacks{phase="exhausted"}', "surgeline_callbacks"),
]


class Rules(unittest.TestCase):
    def test_promtool_takes_the_configuration_and_the_rules(self):
        checked = run(program("promtool"), "check", "config", "prometheus.yml", cwd=RULES)
        self.assertEqual(checked.returncode, 0, checked.stdout)
        for file in ("site.yml", "recording.yml", "alerts.yml"):
            self.assertIn(f"Checking {file}\n  SUCCESS", checked.stdout)

    def test_each_alert_fires_where_it_should_and_nowhere_else(self):
        tested = run(program("promtool"), "test", "rules", TESTS.name, cwd=HERE)
        self.assertEqual(tested.returncode, 0, tested.stdout)
        text = TESTS.read_text()
        never = [name for name in alerts() if f'alertname="{name}"' not in text]
        self.assertEqual(never, [], "alerts that no rule test makes fire")

    def test_the_rule_tests_see_mistakes(self):
        for right, wrong in MISTAKES:
            with self.subTest(right), tempfile.TemporaryDirectory() as folder:
                seen = 0
                for source in RULES.glob("*.yml"):
                    text = source.read_text()
                    seen += text.count(right)
                    Path(folder, source.name).write_text(text.replace(right, wrong))
                self.assertGreater(seen, 0, "it is no longer in the rules")
                tests = TESTS.read_text().replace("../../dashboards/prometheus", folder)
                Path(folder, "tests.yml").write_text(tests)
                tested = run(program("promtool"), "test", "rules", "tests.yml", cwd=Path(folder))
                self.assertIn("FAILED", tested.stdout)
                self.assertNotEqual(tested.returncode, 0)

    def test_each_alert_is_explained(self):
        text = (ROOT / "docs" / "dashboards.md").read_text()
        missing = [name for name in alerts() if f"`{name}`" not in text]
        self.assertEqual(missing, [], "alerts that docs/dashboards.md does not explain")

    def test_commands_that_texts_name_exist(self):
        texts = [(RULES / "alerts.yml").read_text(), (ROOT / "docs" / "dashboards.md").read_text()]
        spelled = re.findall(r"`surgeline ([a-z]+(?: [a-z]+)?)", " ".join(texts))
        self.assertIn("journal verify", spelled)
        for words in sorted(set(spelled)):
            with self.subTest(words):
                helped = run(surgeline(), *words.split(), "--help")
                self.assertEqual(helped.returncode, 0, helped.stdout)


if __name__ == "__main__":
    unittest.main()
