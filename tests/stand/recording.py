"""What CloudTrail hands to EventBridge by itself, where a trail of the emulator logs. Of all calls one is recorded: TagResource of EventBridge, by which
a canary is sent. Every other event comes by the side door.
"""

import json
from datetime import datetime, timezone

from ministack.core.responses import get_account_id, get_region, new_uuid
from ministack.services import cloudtrail, eventbridge


def install():
    eventbridge._tag_resource = tag_resource


def tag_resource(data):
    """MiniStack's, and the event of the call: parameters begin with small letters, as in every record."""
    answer = stock_tag_resource(data)
    if answer[0] < 300 and is_logged():
        tags = [{"key": tag["Key"], "value": tag["Value"]} for tag in data.get("Tags", [])]
        record("events", "TagResource", {"resourceARN": data.get("ResourceARN"), "tags": tags})
    return answer


stock_tag_resource = eventbridge._tag_resource


def is_logged():
    return any(trail.get("IsLogging") for _region, _name, trail in cloudtrail._visible_trail_items())


def record(source, name, parameters):
    account, region, now = get_account_id(), get_region(), datetime.now(timezone.utc)
    event_id = new_uuid()
    detail = {
        "eventVersion": "1.11",
        "userIdentity": {"type": "Root", "principalId": account, "arn": f"arn:aws:iam::{account}:root", "accountId": account},
        "eventTime": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": f"{source}.amazonaws.com",
        "eventName": name,
        "awsRegion": region,
        "sourceIPAddress": "203.0.113.7",
        "userAgent": "trailwire",
        "requestParameters": parameters,
        "responseElements": None,
        "requestID": new_uuid(),
        "eventID": event_id,
        "readOnly": False,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": account,
        "eventCategory": "Management",
    }
    eventbridge._ensure_default_bus()
    eventbridge._dispatch_event(
        {
            "EventId": event_id,
            "Source": f"aws.{source}",
            "DetailType": "AWS API Call via CloudTrail",
            "Detail": json.dumps(detail),
            "EventBusName": "default",
            "Time": int(now.timestamp()),
            "Resources": [],
            "Account": account,
            "Region": region,
        }
    )
