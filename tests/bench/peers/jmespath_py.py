"""jmespath.py over orjson, behind an index by event name: one of the other sides of the matching benchmark.

It reads events and triggers from files and measures one pass for each line that it is sent, `jmespath_py N M` (the first N
triggers, the first M events). It answers `nanoseconds checksum`, in thread CPU time.
"""

import json
import sys
import time

import jmespath
import orjson


class Index:
    """Compiled expressions by event name, as Cloud Custodian and its like keep them."""

    def __init__(self, triggers):
        self.by_name, self.any_event = {}, []
        for trigger in triggers:
            expression = jmespath.compile(trigger["peer_expression"])
            if trigger["any_event"]:
                self.any_event.append(expression)
            for name in trigger["event_names"]:
                self.by_name.setdefault(name, []).append(expression)

    def matches(self, text):
        event = orjson.loads(text)
        found = 0
        for expressions in (self.by_name.get(event["detail"]["eventName"], ()), self.any_event):
            for expression in expressions:
                try:
                    found += bool(expression.search(event))
                except (jmespath.exceptions.JMESPathError, TypeError):  # `'a' > `1`` is a TypeError
                    pass
        return found


def main():
    events = [line for line in open(sys.argv[1], "rb").read().split(b"\n") if line]
    triggers = [json.loads(line) for line in open(sys.argv[2], encoding="utf-8")]
    index, held = None, None
    for line in sys.stdin:
        _, count, most = line.split()
        if held != count:
            index, held = Index(triggers[: int(count)]), count
        start = time.thread_time_ns()
        found = sum(map(index.matches, events[: int(most)]))
        print(time.thread_time_ns() - start, found, flush=True)


main()
