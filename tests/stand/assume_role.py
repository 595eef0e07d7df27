# Copyright (c) 2026 MiniStack Contributors. SPDX-License-Identifier: MIT
# The check follows that of MiniStack 1.5.33, which makes it only where it enforces IAM; the notice is in delivery.py.
"""STS AssumeRole as AWS answers it: refused when the role is missing, or when its trust policy does not let the caller in, the external id included."""

from urllib.parse import parse_qs

from ministack.core import iam_evaluator as iam
from ministack.core.arn import parse_arn
from ministack.core.responses import get_region
from ministack.services import iam as iam_service
from ministack.services import sts


def install():
    sts.handle_request = handle_request


async def handle_request(method, path, headers, body, query_params):
    form = {name: values[0] for name, values in parse_qs(body.decode("utf-8", errors="replace")).items()}
    if form.get("Action") == "AssumeRole":
        caller = sts._caller_identity(headers, query_params)
        if isinstance(caller, dict) and not is_trusted(caller, form):
            message = f"User: {caller['userArn']} is not authorized to perform: sts:AssumeRole on resource: {form['RoleArn']}"
            return sts._error(403, "AccessDenied", message, ns="sts")
    return await stock_handle_request(method, path, headers, body, query_params)


stock_handle_request = sts.handle_request


def is_trusted(caller, form):
    """Whether the role is there and trusts the caller. AWS does not say which of the two is not so."""
    spec = parse_arn(form["RoleArn"])
    role = iam_service._roles.get_scoped(spec.account_id, None, spec.resource.rsplit("/", 1)[-1])
    if role is None or role["Arn"] != form["RoleArn"]:
        return False
    context = iam.EvalContext(
        principal_arn=caller["userArn"],
        principal_type=caller["principalType"],
        principal_account=caller["accountId"],
        action="sts:AssumeRole",
        resource_arn=form["RoleArn"],
        region=get_region(),
        service_context={"sts:externalid": form.get("ExternalId"), "sts:rolesessionname": form.get("RoleSessionName")},
    )
    return iam.evaluate_trust_policy(role["AssumeRolePolicyDocument"], caller["userArn"], context)
