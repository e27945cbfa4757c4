"""A playbook of the tests' own, with times as short as they may be."""

from router import toml

# What the router has that the playbook names.
ENTRY_POINTS = ["line", "chat", "mail"]
KEPT = "safety-desk"

FAQ = {
    "refund": ("Do I get my money back?", "Yes: the full price, in two weeks.",
               ["I want a refund", "money back please", "who pays me back the price"]),
    "dispose": ("Where do I put it?", "In the bin for metal.",
                ["how do I throw it away", "where does the old kettle go", "may it go in the bin"]),
}


def playbook(title: str = "Kettle KX-2", *, entry_points=ENTRY_POINTS, pacing: str = "1s",
             external: str = "", key_timeout: int = 20) -> str:
    """A sound playbook, in English. Seconds to wait for a key are many: a busy machine is slow."""
    text = {
        "title": title, "kind": "specific", "severity": "high", "languages": ["en"],
        "expires_after_days": 7,
        "acknowledgement": {"en": "This is automatic; a person is here. Do not use the kettle. {wait}"},
        "agent_script": {"en": "First: is everyone well?"},
    }
    lines = [f"{k} = {toml(v)}" for k, v in text.items()]
    lines += ["[scope]", f"entry_points = {toml(list(entry_points))}",
              '[[scope.products]]', 'name = "kx-2"', 'says.en = "the KX-2 kettle"',
              '[[scope.lots]]', 'product = "kx-2"', 'first = "1274000"', 'last = "1274999"']
    lines += ["[[messages]]", 'id = "recall-en"', 'channels = ["voice", "chat", "email", "message"]',
              'language = "en"', 'known = "The KX-2 may burn."', 'not_yet_known = "We do not know why."',
              'do_now = "Unplug it."', 'next_update = "Tomorrow at nine."']
    for name, (question, answer, examples) in FAQ.items():
        says = {"question": question, "answer": answer, "interim": "Do not use it.", "examples": examples}
        lines += ["[[faq]]", f"id = {toml(name)}", f"en = {toml(says)}"]
    lines += [
        "[ivr]", "repeats = 0", f"key_timeout_s = {key_timeout}",
        'greeting.en = "This is automatic. Press 0 for a person."',
        'person.en = "To a person."', 'goodbye.en = "Goodbye."',
        "[ivr.injury]", 'yes = "1"', 'no = "2"', 'says.en = "Is anyone hurt? Yes 1, no 2."',
        "[ivr.lot_check]", 'says.en = "Enter the lot."', 'affected.en = "Lot {lot} is affected."',
        'not_affected.en = "Lot {lot} is not affected."', 'cannot_tell.en = "A person will look."',
        "[[ivr.options]]", 'key = "1"', 'does = "lot_check"', 'says.en = "For the lot press 1."',
        "[[ivr.options]]", 'key = "2"', 'does = "faq"', 'entry = "refund"', 'says.en = "For money press 2."',
        "[triage.en]", 'injury = ["hurt", "burned", "hospital"]', 'exposure = ["inhaled"]',
        'person = ["a person", "human"]', "unless = []",
        "[tiers]", 'soon = "0s"',
        "[tiers.faq]", 'from = "elevated"', "capacity = 100", "floor = 0.5",
        f"chat_pacing = {toml(pacing)}", 'email_pacing = "0s"', 'message_pacing = "0s"',
        'chat_silence = "30s"', 'email_silence = "30s"', 'message_silence = "30s"',
        'chat_time_limit = "1h"', 'email_time_limit = "1h"', 'message_time_limit = "1h"',
        "[tiers.ivr]", 'from = "surge"', 'time_limit = "5m"', "ports = 10",
        "[safety]", 'queue = "safety"', f"pool = {toml(KEPT)}",
    ]
    if external:
        lines.append(f"external = {toml(external)}")
    return "\n".join(lines) + "\n"
