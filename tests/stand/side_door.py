"""What the tests need and AWS offers to no caller: paths under /_trailwire/ of the emulator.

POST /_trailwire/events         a JSON list of events in EventBridge's envelope form, put on the bus (`event-bus`, else the default one) of
                                each event's own account and region, as an AWS service would: `aws.*` sources are allowed, ids and times kept;
                                answers to how many targets other than buses each was sent
POST /_trailwire/organization   {"id": "o-…", "accounts": ["…"]}: what aws:PrincipalOrgID says of these accounts; no accounts, no organization
POST /_trailwire/regions        {"account": "…", "disabled": ["…"]}: regions that are not enabled in the account
"""

import json
from datetime import datetime

import delivery
from ministack.core.responses import request_scope
from ministack.services import account as account_service
from ministack.services import eventbridge


def beside(application):
    """The application with the side door."""
    paths = {
        "/_trailwire/events": put_events,
        "/_trailwire/organization": set_organization,
        "/_trailwire/regions": set_disabled_regions,
    }

    async def serve(scope, receive, send):
        handler = paths.get(scope.get("path")) if scope["type"] == "http" else None
        if handler is None:
            return await application(scope, receive, send)
        try:
            status, answer = 200, handler(json.loads(await read(receive)))
        except (ValueError, KeyError, TypeError) as error:
            status, answer = 400, {"error": f"{type(error).__name__}: {error}"}
        body = json.dumps(answer).encode()
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": body})

    return serve


async def read(receive):
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return body


def put_events(envelopes):
    records = [record_of(envelope) for envelope in envelopes]
    for record in records:
        with request_scope(record["Account"], record["Region"]):
            eventbridge._ensure_default_bus()
            eventbridge._dispatch_event(record)
    return {"sent": [len(record["_Sent"]) for record in records]}


def record_of(envelope):
    """MiniStack's form of an event. A missing member is a KeyError: an AWS service never leaves one out."""
    return {
        "EventId": envelope["id"],
        "Source": envelope["source"],
        "DetailType": envelope["detail-type"],
        "Detail": json.dumps(envelope["detail"]),
        "EventBusName": envelope.get("event-bus", "default"),
        "Time": int(datetime.fromisoformat(envelope["time"].replace("Z", "+00:00")).timestamp()),
        "Resources": envelope["resources"],
        "Account": envelope["account"],
        "Region": envelope["region"],
        "_Sent": [],
    }


def set_organization(request):
    for member in [account for account, owner in delivery.ORGANIZATION.items() if owner == request["id"]]:
        del delivery.ORGANIZATION[member]
    delivery.ORGANIZATION.update({account: request["id"] for account in request["accounts"]})
    return {}


DISABLED_REGIONS = {}


def set_disabled_regions(request):
    DISABLED_REGIONS[request["account"]] = set(request["disabled"])
    return {}


def region_status(name):
    if name in DISABLED_REGIONS.get(account_service.get_account_id(), ()):
        return "DISABLED"
    return "ENABLED" if name in account_service._OPT_IN_REQUIRED else "ENABLED_BY_DEFAULT"


def list_regions(payload):
    wanted = payload.get("RegionOptStatusContains") or []
    rows = [{"RegionName": name, "RegionOptStatus": region_status(name)} for name in account_service._REGIONS_LIST]
    return account_service._json(200, {"Regions": [row for row in rows if not wanted or row["RegionOptStatus"] in wanted]})


def get_region_opt_status(payload):
    name = payload.get("RegionName")
    if name not in account_service._REGIONS_LIST:
        return account_service.error_response_json("ResourceNotFoundException", f"Region not found: {name}", 400)
    return account_service._json(200, {"RegionName": name, "RegionOptStatus": region_status(name)})


account_service._DISPATCH["/listRegions"] = list_regions
account_service._DISPATCH["/getRegionOptStatus"] = get_region_opt_status
