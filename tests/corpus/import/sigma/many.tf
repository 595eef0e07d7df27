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

# From the Sigma rule, "Names And Sources Are Lifted".
resource "trailwire_trigger" "names_and_sources_are_lifted" {
  hub           = var.hub
  name          = "names-and-sources-are-lifted"
  severity      = "info"
  event_names   = ["CreateUser", "CreateLoginProfile"]
  event_sources = ["iam.amazonaws.com"]

  action {
    notify {
      destinations = var.destinations
    }
  }
}

# From the Sigma rule, "Texts Are Compared Without Case".
resource "trailwire_trigger" "texts_are_compared_without_case" {
  hub              = var.hub
  name             = "texts-are-compared-without-case"
  severity         = "critical"
  event_names      = ["ConsoleLogin"]
  match_expression = "(contains(lower(to_string(detail.userAgent || '')), 'python') || contains(lower(to_string(detail.userAgent || '')), 'curl')) && starts_with(lower(to_string(detail.additionalEventData.LoginTo || '')), 'https://console') && ends_with(lower(to_string(detail.userIdentity.arn || '')), ':root') && matches(to_string(detail.userIdentity.userName || ''), '(?is)^r.ot.*er$')"

  action {
    notify {
      destinations = var.destinations
    }
  }
}

# From the Sigma rule, "Every Modifier That Can Be Said".
resource "trailwire_trigger" "every_modifier_that_can_be_said" {
  hub               = var.hub
  name              = "every-modifier-that-can-be-said"
  severity          = "medium"
  any_event         = true
  include_read_only = true
  match_expression  = "(contains(lower(to_string(detail.requestParameters || '')), '\"s3:getobject\"') || contains(lower(to_string(detail.requestParameters || '')), '\\\"s3:getobject\\\"')) && contains(lower(to_string(detail.requestParameters || '')), 'allow') && matches(to_string(detail.errorMessage || ''), '(?i)^denied (by|for) ') && (cidr_contains('10.0.0.0/8', to_string(detail.sourceIPAddress || '')) || cidr_contains('192.168.0.0/16', to_string(detail.sourceIPAddress || ''))) && detail.userIdentity.userName && detail.userIdentity.userName == detail.requestParameters.userName && to_number(to_string(detail.requestParameters.maxItems || '')) >= `100` && detail.errorCode == `null` && !(detail.awsRegion == 'eu-west-1') && detail.userIdentity.sessionContext.attributes.mfaAuthenticated == 'false' && detail.readOnly == `false` && detail.responseElements == `null` && (contains(to_string(detail.additionalEventData.Note || ''), 'Hello $${name} %%{if} \"you\"') || contains(to_string(detail.additionalEventData.Note || ''), 'Hello $${name} %%{if} \\\"you\\\"')) && !(detail.vpcEndpointId == `null`)"

  action {
    notify {
      destinations = var.destinations
    }
  }
}

# From the Sigma rule, "Arrays On The Way".
resource "trailwire_trigger" "arrays_on_the_way" {
  hub              = var.hub
  name             = "arrays-on-the-way"
  severity         = "medium"
  event_names      = ["AuthorizeSecurityGroupIngress"]
  match_expression = "detail.requestParameters.ipPermissions.items[].ipRanges.items[].cidrIp | [?contains(['0.0.0.0/0', '::/0'], lower(to_string(@ || '')))] | [0]"

  action {
    notify {
      destinations = var.destinations
    }
  }
}

# From the Sigma rule, "Conditions".
resource "trailwire_trigger" "conditions" {
  hub               = var.hub
  name              = "conditions"
  severity          = "medium"
  any_event         = true
  event_sources     = ["lambda.amazonaws.com"]
  include_read_only = true
  match_expression  = "(starts_with(to_string(detail.eventName || ''), 'CreateFunction') || starts_with(to_string(detail.eventName || ''), 'UpdateFunction')) && !((detail.userIdentity.type == 'AWSService' || (contains(lower(to_string(detail.userAgent || '')), 'terraform') || contains(lower(to_string(detail.userAgent || '')), 'cloudformation'))) || detail.userIdentity.type == 'AWSService')"

  action {
    notify {
      destinations = var.destinations
    }
  }
}

# From the Sigma rule, "Keywords".
resource "trailwire_trigger" "keywords" {
  hub               = var.hub
  name              = "keywords"
  severity          = "medium"
  any_event         = true
  include_read_only = true
  match_expression  = "contains(lower(to_string(detail)), 'akiaexample') || contains(lower(to_string(detail)), 'secret')"

  action {
    notify {
      destinations = var.destinations
    }
  }
}

# From the Sigma rule, "What Cannot Be Said Makes It Fire More Often".
# Not carried over: `| count() by userIdentity.arn > 5`: it fires at each event
# Not carried over: `userAgent|base64`: the modifier `base64` (it fires more often than the rule)
# Not carried over: `userIdentity.userName|expand`: the modifier `expand` (it fires more often than
# the rule)
# Not carried over: `timeframe: 5m`: it fires at each event
resource "trailwire_trigger" "what_cannot_be_said_makes_it_fire_more" {
  hub         = var.hub
  name        = "what-cannot-be-said-makes-it-fire-more"
  severity    = "medium"
  event_names = ["CreateAccessKey"]

  action {
    notify {
      destinations = var.destinations
    }
  }
}

# Left out: Nothing Is Left: nothing of its detection can be said of one event

# Left out: Another Source: its log source is not CloudTrail: service `security`

# Left out: A Correlation: it correlates the events of other rules

# Left out: A Name That Is Not There: its condition names `filtre`, which its detection does not
# have

# Left out: Two Of Them: `2 of them` in its condition

# Left out: Never: it can never match: `detail.userIdentity.type == 'IAMUser'`: it cannot hold
# together with the rest
