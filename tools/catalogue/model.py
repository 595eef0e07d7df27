"""The catalogue: every (event source, event name) that CloudTrail may record, built from the packages and the tables."""

from dataclasses import dataclass, field

import packages
import tables

DOMAIN = ".amazonaws.com"
READS = ("Describe", "Get", "List")

# What an entry is. The numbers are those of `Origin` in engine/src/catalogue/entry.rs.
API, PERMISSION, RENAMED, SPELT, UNLISTED = range(5)

# The eventType. The numbers are those of `EventType` there.
EVENT_TYPES = ["AwsApiCall", "AwsServiceEvent", "AwsConsoleAction", "AwsConsoleSignIn"]

# How binding the regions of an entry are. The numbers are those of `Regions` there.
ANYWHERE, ONLY, OFTEN = range(3)


@dataclass
class Entry:
    origin: int
    read_only: bool = False
    event_type: int = 0
    data_event: bool = False
    recorded: bool = True
    binding: int = ANYWHERE
    regions: tuple = ()


@dataclass
class Catalogue:
    sources: dict = field(default_factory=dict)
    renames: list = field(default_factory=list)
    aliases: dict = field(default_factory=dict)

    def add(self, source, name, origin):
        return self.sources.setdefault(source + DOMAIN, {}).setdefault(name, Entry(origin))


def begins_with_a_read(name):
    """Whether the name begins with the word Describe, Get or List (`Listen` does not)."""
    return any(name.startswith(read) and not name[len(read) :][:1].islower() for read in READS)


def build(with_tables=True):
    """The whole catalogue, or what it would be without any table."""
    catalogue = Catalogue()
    exceptions = tables.sources() if with_tables else {}
    services, actions = packages.services(), packages.actions()
    levels = {}

    for name, service in services.items():
        sources = exceptions.get(f"botocore:{name}", [service["signing"]])
        for alias in {name, service["endpoint"], service["signing"]}:
            _alias(catalogue, alias, sources[0])
        for source in sources:
            for operation in service["operations"]:
                catalogue.add(source, operation, API)
    for prefix, known in actions.items():
        sources = exceptions.get(f"iam:{prefix}", [prefix])
        _alias(catalogue, prefix, sources[0])
        for source in sources:
            for action, level in known.items():
                catalogue.add(source, action, PERMISSION)
                levels[source + DOMAIN, action] = level
    for source, names in catalogue.sources.items():
        for name, entry in names.items():
            level = levels.get((source, name))
            entry.read_only = level in ("Read", "List") if level else begins_with_a_read(name)
    if with_tables:
        _apply_tables(catalogue)
    catalogue.aliases = {alias: source for alias, source in catalogue.aliases.items() if alias + DOMAIN not in catalogue.sources}
    return catalogue


def _alias(catalogue, alias, source):
    """The first source that an alias is known for keeps it: a service's own name is seen before the IAM prefix of others."""
    if alias != source:
        catalogue.aliases.setdefault(alias, source)


def _apply_tables(catalogue):
    for row in tables.renames():
        source = row["source"] + DOMAIN
        api = catalogue.sources[source].get(row["api"])
        if api is None:
            raise SystemExit(f"renames.tsv: {row['source']} has no {row['api']}")
        written = catalogue.add(row["source"], row["event"], SPELT)
        written.origin, written.read_only = SPELT, api.read_only
        if row["also"] == "no":
            api.origin = RENAMED
        catalogue.renames.append((source, row["api"], row["event"]))
    for row in tables.events():
        entry = catalogue.add(row["source"], row["event"], UNLISTED)
        if entry.origin == PERMISSION:
            entry.origin = UNLISTED
        if entry.origin == UNLISTED:
            entry.event_type = EVENT_TYPES.index(row["event_type"])
            entry.read_only = row["read_only"] == "yes" if row["read_only"] else begins_with_a_read(row["event"])
    for (source, name), read_only in tables.read_only().items():
        _entry(catalogue, "read_only", source, name).read_only = read_only
    for source, name in tables.data_events():
        _entry(catalogue, "data_events", source, name).data_event = True
    for source, name in tables.unrecorded():
        _entry(catalogue, "unrecorded", source, name).recorded = False
    _apply_regions(catalogue)


def _entry(catalogue, table, source, name):
    entry = catalogue.sources.get(source + DOMAIN, {}).get(name)
    if entry is None:
        raise SystemExit(f"{table}.tsv: {source} has no {name}")
    return entry


def _apply_regions(catalogue):
    not_regional, single = packages.home_regions()
    for row in tables.regions():
        rule, source = row["rule"], row["source"]
        if rule == "global":
            regions = not_regional[source]
        elif rule == "single":
            regions = single[source]
        else:
            regions = row["regions"].split()
        names = catalogue.sources.get(source + DOMAIN)
        if names is None:
            raise SystemExit(f"regions.tsv: no source {source}")
        for entry in names.values() if row["event"] == "*" else [_entry(catalogue, "regions", source, row["event"])]:
            entry.binding, entry.regions = (OFTEN if rule == "often" else ONLY), tuple(regions)
