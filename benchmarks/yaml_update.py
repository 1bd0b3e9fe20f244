"""How long yaml-update takes over a large values file, against ruamel.yaml's round trip of the same change."""

import io
from collections.abc import Iterator

from ruamel.yaml import YAML

from benchmarks.figures import Figure, Say, best
from bot.steps.editing.yaml_edit import Update, update_yaml

NAME = "yaml-update"
LINES = 10_000
ABOUT = (
    f"Changing one value in a values file of {LINES:,} lines, against loading, changing and dumping it by "
    "ruamel.yaml's round trip; and how it grows with the lines."
)
_SERVICE = """\
  service-{number}:
    # where it comes from
    image:
      repository: registry.example.com/team/service-{number}
      tag: v1.{number}.0 # pinned
    replicas: 3
    env:
      - name: LOG_LEVEL
        value: 'info'
      - {{name: REGION, value: "eu-1"}}
"""
_LINES_EACH = _SERVICE.count("\n")


def text(lines: int) -> str:
    services = (_SERVICE.format(number=number) for number in range(lines // _LINES_EACH))
    return "services:\n" + "".join(services)


def run(say: Say) -> Iterator[Figure]:
    content = text(LINES)
    key = f"services.service-{LINES // _LINES_EACH // 2}.image.tag"
    updates = [Update(key, "v2.0.0")]
    say(f"{len(content):,} bytes")
    changed = update_yaml(content, updates, "values.yaml")
    pairs = zip(content.splitlines(), changed.splitlines(), strict=True)
    assert sum(old != new for old, new in pairs) == 1
    ours = best(lambda: update_yaml(content, updates, "values.yaml"))
    say("ruamel's round trip")
    peer = best(lambda: _round_trip(content, key), times=2)
    yield Figure(f"{LINES:,} lines", ours * 1000, "ms", "ruamel's round trip", peer * 1000, aim=0.2)
    say("growth")
    tenfold = text(10 * LINES)
    longer = best(lambda: update_yaml(tenfold, updates, "values.yaml"), times=2)
    yield Figure("ten times the lines", longer * 1000, "ms", f"{LINES:,} lines", ours * 1000, aim=15)


def _round_trip(content: str, key: str) -> str:
    yaml = YAML()
    data = yaml.load(content)
    *way, last = key.split(".")
    holder = data
    for part in way:
        holder = holder[part]
    holder[last] = "v2.0.0"
    out = io.StringIO()
    yaml.dump(data, out)
    return out.getvalue()
