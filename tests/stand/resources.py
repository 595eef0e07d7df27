"""Which resource a call needs permission for, where MiniStack differs from AWS: roles have paths, rules of the default bus do not name it, alarms are named
in JSON too, and so is a function that is made."""

import json
from urllib.parse import parse_qs

from ministack.core import iam_actions
from ministack.services import iam as iam_service


def install():
    iam_actions.extract_resource_arn = resource_of


def resource_of(service, method, path, headers, body, query_params, region, account):
    found = None
    if service == "iam":
        found = role(parse_qs((body or b"").decode("utf-8", errors="replace")), account)
    elif service == "monitoring" and headers.get("x-amz-target"):
        found = alarm(json.loads(body or b"{}"), f"arn:aws:cloudwatch:{region}:{account}:alarm:")
    elif service == "lambda" and method == "POST" and path.rstrip("/").endswith("/functions"):
        found = f"arn:aws:lambda:{region}:{account}:function:{json.loads(body)['FunctionName']}"
    elif service in ("events", "dynamodb"):
        fields = json.loads(body or b"{}")
        found = fields.get("ResourceARN") or fields.get("ResourceArn")
        if found is None and service == "events":
            operation = headers.get("x-amz-target", "").rsplit(".", 1)[-1]
            found = rule_or_bus(operation, fields, f"arn:aws:events:{region}:{account}:")
    return found or stock_resource_of(service, method, path, headers, body, query_params, region, account)


stock_resource_of = iam_actions.extract_resource_arn


def alarm(fields, prefix):
    """A list is asked for every alarm, whatever prefix it is given."""
    names = fields.get("AlarmNames") or ["*"]
    return fields.get("ResourceARN") or f"{prefix}{fields.get('AlarmName', names[0])}"


def role(form, account):
    """A role that is there is asked for by its ARN, path included; one that is made, by the path that it is given; one that is missing has none."""
    name = form.get("RoleName", [None])[0]
    if name is None:
        return None
    known = iam_service._roles.get_scoped(account, None, name)
    given = form.get("Path", ["/"])[0]
    return known["Arn"] if known else f"arn:aws:iam::{account}:role{given}{name}"


def rule_or_bus(operation, fields, prefix):
    bus = (fields.get("EventBusName") or "default").rsplit("/", 1)[-1]
    if operation.endswith("EventBus") or operation in ("PutPermission", "RemovePermission"):
        return f"{prefix}event-bus/{fields.get('Name') or bus}"
    rule = fields.get("Rule") or fields.get("Name")
    if rule is None:
        return None
    return f"{prefix}rule/{rule}" if bus == "default" else f"{prefix}rule/{bus}/{rule}"
