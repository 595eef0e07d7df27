terraform {
  required_providers {
    trailwire = {
      source = "trailwire/trailwire"
    }
  }
}

variable "hub" {
  description = "The hub: its id, its name, or the ARN of its bus."
  type        = string
}

variable "destinations" {
  description = "Names of the destinations that are told."
  type        = list(string)
}

# From the Cloud Custodian policy `root-signs-in`.
# Not carried over: the actions `notify`
resource "trailwire_trigger" "root_signs_in" {
  hub              = var.hub
  name             = "root-signs-in"
  description      = "The root user signs in to the console."
  event_names      = ["ConsoleLogin"]
  event_sources    = ["signin.amazonaws.com"]
  match_expression = "detail.userIdentity.type && contains(detail.userIdentity.type, 'Root')"

  action {
    notify {
      destinations = var.destinations
    }
  }
}

# From the Cloud Custodian policy `function-made-elsewhere`.
# Not carried over: the actions `delete`
resource "trailwire_trigger" "function_made_elsewhere" {
  hub              = var.hub
  name             = "function-made-elsewhere"
  event_names      = ["CreateFunction20150331", "UpdateFunctionConfiguration20150331v2"]
  event_sources    = ["lambda.amazonaws.com"]
  match_expression = "!contains(['us-east-1', 'eu-west-1'], detail.awsRegion) && !(detail.userAgent && matches(to_string(detail.userAgent), '(?i)^(?:.*terraform.*)')) && (detail.userIdentity.sessionContext.sessionIssuer.userName && matches(to_string(detail.userIdentity.sessionContext.sessionIssuer.userName), '(?s)^dev-.*$') || detail.errorCode != `null`) && length(detail.requestParameters.layers || `[]`) >= `1`"

  action {
    notify {
      destinations = var.destinations
    }
  }
}

# From the Cloud Custodian policy `tags-are-missing`.
# Not carried over: `mode.pattern`
# Not carried over: the filter `tag:Owner`, which is about the resource
# Not carried over: a filter on the event: `value_from` takes its value from elsewhere
# Not carried over: the filter `instance-age`, which is about the resource
resource "trailwire_trigger" "tags_are_missing" {
  hub              = var.hub
  name             = "tags-are-missing"
  description      = "Instances without an owner."
  event_names      = ["RunInstances"]
  event_sources    = ["ec2.amazonaws.com"]
  match_expression = "lower(to_string(detail.userIdentity.userName || '')) == 'carol' && (detail.requestParameters.groups && contains(detail.requestParameters.groups, 'a') || detail.requestParameters.groups && contains(detail.requestParameters.groups, 'b'))"

  action {
    notify {
      destinations = var.destinations
    }
  }
}

# Left out: looks-every-day: its mode is `periodic`, and only `cloudtrail` is about CloudTrail's
# events

# Left out: looks-when-asked: it has no mode: it looks at resources, not at events

# Left out: an-event-that-nobody-knows: `RunInstance` is no event that Custodian knows
