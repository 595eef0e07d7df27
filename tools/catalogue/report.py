"""How much of real records the catalogue knows, and how often its read-only verdict is right."""

import collections
import json
import re
import sys
from pathlib import Path

import model

RECORDS = Path("shared/data/records.jsonl")
DATED = re.compile(r"^(.+?)(20\d{6}(v\d+)?|20\d\d_\d\d_\d\d)$")


def main(path):
    beside = [above / RECORDS for above in Path(__file__).resolve().parents[3:]]
    path = path or next((found for found in beside if found.exists()), None)
    if path is None:
        print(f"catalogue-report: skipped, there is no {RECORDS} beside the repository; write RECORDS=FILE")
        return 0
    records = [json.loads(line)["record"] for line in path.read_text(encoding="utf-8").splitlines() if line]
    records = [record for record in records if record.get("eventSource") and record.get("eventName")]
    pairs = collections.Counter((record["eventSource"], record["eventName"]) for record in records)
    bare, whole = model.build(with_tables=False), model.build()

    print(f"{len(records)} records, {len(pairs)} distinct pairs of event source and name")
    print("distinct pairs that are known:")
    apis = [pair for pair in pairs if _origin(bare, *pair) == model.API]
    _line("operations of published APIs", len(apis), len(pairs))
    _line("and IAM actions", sum(_find(bare, *pair) is not None for pair in pairs), len(pairs))
    _line("and dated names (without any table)", sum(_known(bare, *pair) for pair in pairs), len(pairs))
    misses = [pair for pair in sorted(pairs) if not _known(whole, *pair)]
    _line("with the tables", len(pairs) - len(misses), len(pairs))
    renamed = [pair for pair in sorted(pairs) if _origin(whole, *pair) == model.RENAMED]
    print(f"  of these {len(renamed)} as names that CloudTrail writes otherwise: {_list(renamed)}")
    _line("records whose pair is known", sum(count for pair, count in pairs.items() if pair not in misses), len(records))

    causes = collections.defaultdict(list)
    for source, name in misses:
        causes[_cause(whole, source, name)].append((source, name))
    print(f"{len(misses)} pairs that are not known:")
    for cause, found in sorted(causes.items(), key=lambda item: -len(item[1])):
        print(f"  {cause}: {_list(found)}")

    flagged = [record for record in records if str(record.get("readOnly")).lower() in ("true", "false")]
    known = [record for record in flagged if _find(whole, record["eventSource"], record["eventName"])]
    wrong = [record for record in flagged if _reads(whole, record) != (str(record["readOnly"]).lower() == "true")]
    right = [record for record in known if record not in wrong]
    print("records with the flag readOnly whose verdict is right:")
    _line("of those whose pair is known", len(right), len(known))
    _line("of all (others by their names)", len(flagged) - len(wrong), len(flagged))
    print(f"  wrong: {_list(sorted({(record['eventSource'], record['eventName']) for record in wrong}))}")
    return 0


def _find(catalogue, source, name):
    return catalogue.sources.get(source, {}).get(name)


def _origin(catalogue, source, name):
    entry = _find(catalogue, source, name)
    return entry and entry.origin


def _known(catalogue, source, name):
    dated = DATED.match(name)
    return _find(catalogue, source, name) is not None or bool(dated and _find(catalogue, source, dated[1]))


def _reads(catalogue, record):
    entry = _find(catalogue, record["eventSource"], record["eventName"])
    return entry.read_only if entry else model.begins_with_a_read(record["eventName"])


def _cause(catalogue, source, name):
    if source not in catalogue.sources:
        return "the source is in no list"
    others = [other.removesuffix(model.DOMAIN) for other in sorted(catalogue.sources) if name in catalogue.sources[other]]
    return "the name is that of other sources only" if others else "the name is in no list at all"


def _list(pairs):
    return ", ".join(f"{source.removesuffix(model.DOMAIN)} {name}" for source, name in pairs) or "none"


def _line(what, part, whole):
    print(f"  {what:<38} {part:>5} of {whole:<5} {100 * part / max(whole, 1):6.2f} %")


if __name__ == "__main__":
    sys.exit(main(None))
