# Copyright (c) 2026 MiniStack Contributors. SPDX-License-Identifier: MIT
# Parts of this file replace functions of MiniStack 1.5.33 and follow their form; its notice is kept as it asks:
#
# Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the
# "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish,
# distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to
# the following conditions: The above copyright notice and this permission notice shall be included in all copies or substantial portions
# of the Software. THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
# WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS
# BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN
# CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""How EventBridge carries an event from a bus to the targets of its rules, where MiniStack differs from AWS:

- the state of a rule decides about read-only management events;
- a bus target in another region or account gets the event, unchanged, when the target's role and the bus policy allow it, for one hop;
- a queue target gets the event when the queue's policy lets EventBridge send on behalf of the rule;
- what cannot be delivered goes to the target's dead-letter queue, with the reason in message attributes.

Not modelled: retries of failures that pass by themselves, input transformers on bus targets.
"""

import json
import time

from ministack.core import iam_evaluator as iam
from ministack.core.arn import parse_arn
from ministack.core.responses import error_response_json, get_account_id, get_region, json_response, new_uuid, request_scope
from ministack.services import eventbridge, sqs
from ministack.services import iam as iam_service

SERVICE = "events.amazonaws.com"
ALL_MANAGEMENT = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
BUS_POLICY_LIMIT = 10_240

# account -> organization id, set through the side door.
ORGANIZATION = {}


class Undeliverable(Exception):
    """A failure that AWS does not retry. The code is one of EventBridge's for dead letters."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code
        self.message = message


def install():
    eventbridge._dispatch_event = dispatch
    eventbridge._put_permission = put_permission
    eventbridge._delete_event_bus = delete_event_bus
    eventbridge._validate_target_arn = validate_target


def dispatch(event, view=None):
    """Hands the event to every target of every rule of its bus that matches and carries it."""
    view = view or eventbridge._pattern_event_view(event)
    for key, rule in list(eventbridge._rules.items()):
        if rule["EventBusName"] != event["EventBusName"] or not rule.get("EventPattern") or not carries(rule["State"], event):
            continue
        if eventbridge._matches_pattern_view(rule["EventPattern"], view, f"rule {key}"):
            for target in list(eventbridge._targets.get(key, [])):
                deliver(target, event, rule, view)


def carries(state, event):
    if state == ALL_MANAGEMENT:
        return True
    return state == "ENABLED" and not is_read_only_management(event)


def is_read_only_management(event):
    """What CloudTrail marks read-only and names so; the two calls of STS that hand out sessions are carried all the same."""
    if not event["Source"].startswith("aws.") or not event["DetailType"].endswith(" via CloudTrail"):
        return False
    record = json.loads(event["Detail"])
    name = str(record.get("eventName"))
    if record.get("readOnly") is not True or record.get("managementEvent") is False:
        return False
    if record.get("eventSource") == "sts.amazonaws.com" and name in ("GetFederationToken", "GetSessionToken"):
        return False
    return name.startswith(("Get", "List", "Describe"))


def deliver(target, event, rule, view):
    spec = parse_arn(target["Arn"])
    try:
        if spec.service == "events" and spec.resource.startswith("event-bus/"):
            forward(spec, target, event, rule)
        else:
            if spec.service == "sqs":
                require_queue(spec, rule)
            stock_invoke_target(target, event, rule, view)
            event.get("_Sent", []).append(target["Arn"])
    except Undeliverable as failure:
        dead_letter(target, rule, view, failure)


stock_invoke_target = eventbridge._invoke_target


def forward(spec, target, event, rule):
    """One hop from bus to bus. AWS drops an event that came from another bus already; the event keeps its account, region, id and time."""
    if event.get("_Hops", 0) >= 1:
        return
    sender = get_account_id()
    principal = require_role(target.get("RoleArn"), "events:PutEvents", str(spec), rule)
    name = spec.resource.split("/", 1)[1]
    with request_scope(spec.account_id, spec.region):
        eventbridge._ensure_default_bus()
        if name not in eventbridge._event_buses:
            raise Undeliverable("NO_RESOURCE", f"Event bus {spec} does not exist.")
        policy = eventbridge._event_bus_policies.get(name)
        context = context_of(principal, sender, "events:PutEvents", spec, rule)
        if not iam.resource_policy_allows(policy, context, same_account=spec.account_id == sender):
            raise Undeliverable("NO_PERMISSIONS", f"The policy of event bus {spec} does not allow {sender} to put events.")
        dispatch(dict(event, EventBusName=name, _Hops=1))


def require_role(role_arn, action, resource, rule):
    """The session's ARN of a role that EventBridge can assume and that allows the action, or Undeliverable."""
    role = find_role(role_arn)
    if role is None:
        raise Undeliverable("NO_PERMISSIONS", f"The target names no role that exists ({role_arn}).")
    spec = parse_arn(role_arn)
    name = role["RoleName"]
    if not trusts_service(role, rule):
        raise Undeliverable("NO_PERMISSIONS", f"Role {role_arn} does not trust {SERVICE}.")
    principal = f"arn:aws:sts::{spec.account_id}:assumed-role/{name}/events"
    policies = iam._gather_role_policies(name, spec.account_id)
    limits = iam._permissions_boundary(iam_service._roles, name, spec.account_id)
    context = context_of(principal, spec.account_id, action, parse_arn(resource), rule)
    if iam.evaluate(context, policies, *limits).decision != "Allow":
        raise Undeliverable("NO_PERMISSIONS", f"Role {role_arn} does not allow {action} on {resource}.")
    return principal


def find_role(role_arn):
    if not role_arn:
        return None
    spec = parse_arn(role_arn)
    role = iam_service._roles.get_scoped(spec.account_id, None, spec.resource.rsplit("/", 1)[-1])
    return role if role and role["Arn"] == role_arn else None


def trusts_service(role, rule=None):
    """Whether the role's trust policy names EventBridge; its conditions are asked only when the rule is known."""
    document = json.loads(role["AssumeRolePolicyDocument"])
    statements = document.get("Statement", [])
    account = parse_arn(role["Arn"]).account_id
    context = rule and context_of("*", "", "sts:AssumeRole", None, rule, account)
    return any(
        statement.get("Effect") == "Allow"
        and iam._service_principal_matches(statement.get("Principal"), SERVICE)
        and (context is None or iam._conditions_met(statement.get("Condition", {}), context))
        for statement in ([statements] if isinstance(statements, dict) else statements)
    )


def context_of(principal, account, action, resource, rule, source_account=None):
    organization = ORGANIZATION.get(account)
    return iam.EvalContext(
        principal_arn=principal,
        principal_type="AssumedRole" if account else "Service",
        principal_account=account,
        action=action,
        resource_arn=str(resource) if resource else "*",
        region=get_region(),
        service_context={"aws:sourcearn": rule["Arn"], "aws:sourceaccount": source_account or get_account_id()},
        principal_keys={"aws:principalorgid": organization} if organization else {},
    )


def require_queue(spec, rule):
    queue = sqs._queue_by_arn(str(spec))
    if queue is None or spec.region != get_region():
        raise Undeliverable("NO_RESOURCE", f"Queue {spec} does not exist.")
    context = context_of("*", "", "sqs:SendMessage", spec, rule)
    policy = queue["attributes"].get("Policy")
    if iam.evaluate_resource_policy(policy, context, service=SERVICE).decision != "Allow":
        raise Undeliverable("NO_PERMISSIONS", f"The policy of queue {spec} does not allow {SERVICE} to send messages for {rule['Arn']}.")
    return queue


def dead_letter(target, rule, view, failure):
    """Leaves the event in the target's dead-letter queue; without one, or without its permission, the event is gone, as on AWS."""
    arn = (target.get("DeadLetterConfig") or {}).get("Arn")
    if not arn:
        return
    try:
        queue = require_queue(parse_arn(arn), rule)
    except Undeliverable:
        return
    reasons = {
        "RULE_ARN": rule["Arn"],
        "TARGET_ARN": target["Arn"],
        "ERROR_CODE": failure.code,
        "ERROR_MESSAGE": failure.message,
    }
    send(queue, json.dumps(view.event_with_detail()), reasons)


def send(queue, body, attributes):
    now = time.time()
    message = {
        "id": new_uuid(),
        "body": body,
        "md5_body": sqs.hashlib.md5(body.encode()).hexdigest(),
        "receipt_handle": None,
        "sent_at": now,
        "visible_at": now + sqs.queue_delay(queue),
        "receive_count": 0,
        "attributes": {},
        "message_attributes": {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()},
        "sys": {"SenderId": SERVICE, "SentTimestamp": str(int(now * 1000))},
    }
    sqs._ensure_msg_fields(message)
    queue["messages"].append(message)


def put_permission(data):
    """MiniStack's, with the argument Policy, which replaces the whole policy of the bus."""
    name = data.get("EventBusName", "default")
    if name not in eventbridge._event_buses:
        return error_response_json("ResourceNotFoundException", f"Event bus {name} does not exist.", 400)
    text = data.get("Policy")
    if text is None:
        return stock_put_permission(data)
    if len(text) > BUS_POLICY_LIMIT:
        return error_response_json("PolicyLengthExceededException", "The policy is longer than 10,240 characters.", 400)
    try:
        eventbridge._event_bus_policies[name] = json.loads(text)
    except ValueError:
        return error_response_json("ValidationException", "The policy is not valid JSON.", 400)
    return json_response({})


stock_put_permission = eventbridge._put_permission


def delete_event_bus(data):
    """MiniStack's, which would leave the policy for the next bus of the name."""
    eventbridge._event_bus_policies.pop(data.get("Name"), None)
    return stock_delete_event_bus(data)


stock_delete_event_bus = eventbridge._delete_event_bus


def validate_target(target):
    """MiniStack's, and the check of AWS that a role given for a target can be assumed by EventBridge."""
    refused = stock_validate_target(target)
    if refused or not target.get("RoleArn"):
        return refused
    role = find_role(target["RoleArn"])
    if role is None or not trusts_service(role):
        message = f"Provided role '{target['RoleArn']}' cannot be assumed by principal '{SERVICE}'."
        return error_response_json("ValidationException", message, 400)
    return None


stock_validate_target = eventbridge._validate_target_arn
