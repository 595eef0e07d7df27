"""Makes, checks and measures the event catalogue: `make catalogue`, `make catalogue-check`, `make catalogue-report`."""

import argparse
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
OUTPUT = REPOSITORY / "engine" / "src" / "catalogue" / "events.bin"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=["write", "check", "report"])
    parser.add_argument("records", nargs="?", type=Path, help="for report: CloudTrail records, one JSON object a line with member `record`")
    arguments = parser.parse_args()
    if arguments.command == "report":
        import report

        return report.main(arguments.records)

    import encode
    import model

    catalogue = model.build()
    data = encode.encode(catalogue)
    if arguments.command == "check":
        if OUTPUT.read_bytes() != data:
            print(f"{OUTPUT.relative_to(REPOSITORY)} is not what the packages and tables say: run `make catalogue`", file=sys.stderr)
            return 1
        print(f"{OUTPUT.relative_to(REPOSITORY)} is up to date")
        return 0
    OUTPUT.write_bytes(data)
    pairs = sum(len(names) for names in catalogue.sources.values())
    print(f"{OUTPUT.relative_to(REPOSITORY)}: {pairs} events of {len(catalogue.sources)} sources in {len(data)} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
