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

# From the metric filter `VpcChanges` of the log group `trail`.
resource "trailwire_trigger" "vpc_changes" {
  hub         = var.hub
  name        = "vpc-changes"
  event_names = ["CreateVpc", "DeleteVpc", "ModifyVpcAttribute"]

  action {
    notify {
      destinations = var.destinations
    }
  }
}

# From the metric filter `ConsoleSignInWithoutMfa` of the log group `trail`.
resource "trailwire_trigger" "console_sign_in_without_mfa" {
  hub            = var.hub
  name           = "console-sign-in-without-mfa"
  event_names    = ["ConsoleLogin"]
  filter_pattern = "{ ($.eventName = \"ConsoleLogin\") && ($.additionalEventData.MFAUsed != \"Yes\") }"

  action {
    notify {
      destinations = var.destinations
    }
  }
}

# From the metric filter `DeniedCalls` of the log group `trail`.
resource "trailwire_trigger" "denied_calls" {
  hub               = var.hub
  name              = "denied-calls"
  any_event         = true
  include_read_only = true
  filter_pattern    = "{ ($.errorCode = \"*UnauthorizedOperation\") || ($.errorCode = \"AccessDenied*\") }"

  action {
    notify {
      destinations = var.destinations
    }
  }
}

# Left out: Errors: a filter pattern begins with `{`
