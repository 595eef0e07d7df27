"""The reviewed tables beside this file: what the packages do not know, each row with where it comes from."""

from pathlib import Path

TABLES = Path(__file__).parent / "tables"


def read(name, columns):
    """The rows of a table as dictionaries. A row of another length, or one that names no known reference, is an error."""
    known = None if name == "references" else {row["key"] for row in read("references", ["key", "what", "address"])}
    lines = (TABLES / f"{name}.tsv").read_text(encoding="ascii").splitlines()
    lines = [(number, line.split("\t")) for number, line in enumerate(lines, 1) if line and not line.startswith("#")]
    header = lines[0][1]
    if header != columns:
        raise SystemExit(f"{name}.tsv: the columns are {header}, not {columns}")
    rows = []
    for number, cells in lines[1:]:
        if len(cells) != len(columns):
            raise SystemExit(f"{name}.tsv:{number}: {len(cells)} cells, not {len(columns)}")
        row = dict(zip(columns, cells))
        if known is not None and row["reference"] not in known:
            raise SystemExit(f"{name}.tsv:{number}: `{row['reference']}` is not in references.tsv")
        rows.append(row)
    return rows


def sources():
    return {row["input"]: row["sources"].split() for row in read("sources", ["input", "sources", "reference"])}


def renames():
    return read("renames", ["source", "api", "event", "also", "reference"])


def events():
    return read("events", ["source", "event", "event_type", "read_only", "reference"])


def read_only():
    rows = read("read_only", ["source", "event", "read_only", "reference"])
    return {(row["source"], row["event"]): row["read_only"] == "yes" for row in rows}


def data_events():
    rows = read("data_events", ["source", "event", "resource_type", "reference"])
    return {(row["source"], row["event"]): row["resource_type"] for row in rows}


def regions():
    return read("regions", ["source", "event", "rule", "regions", "reference"])


def unrecorded():
    return {(row["source"], row["event"]) for row in read("unrecorded", ["source", "event", "reference"])}
