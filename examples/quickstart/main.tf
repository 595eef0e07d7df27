# One hub over four regions, one place for notifications, three triggers.

terraform {
  required_providers {
    trailwire = {
      source = "trailwire/trailwire"
    }
  }
}

variable "webhook_url" {
  description = "Where notifications go: the URL of a webhook."
  type        = string
}

provider "trailwire" {
  region = "us-east-1"
}

# The receiving side. Events of IAM and most sign-ins are in us-east-1; the other three are where sign-ins may be recorded too.
resource "trailwire_hub" "quickstart" {
  name    = "quickstart"
  regions = ["us-east-1", "us-east-2", "eu-north-1", "ap-southeast-2"]
}

resource "trailwire_destination" "team" {
  hub  = trailwire_hub.quickstart.id
  name = "team"

  webhook {
    url = var.webhook_url
  }
}

resource "trailwire_trigger" "security_group_opened" {
  hub              = trailwire_hub.quickstart.id
  name             = "security-group-opened"
  description      = "A security group lets the whole internet in"
  severity         = "high"
  event_names      = ["AuthorizeSecurityGroupIngress"]
  event_sources    = ["ec2.amazonaws.com"]
  match_expression = "contains(detail.requestParameters.ipPermissions.items[].ipRanges.items[].cidrIp, '0.0.0.0/0')"

  action {
    notify {
      destinations = [trailwire_destination.team.name]
      title        = "{{ actor }} opened a security group in {{ region }}"
      fields = {
        "Group" = "detail.requestParameters.groupId"
      }
    }
  }
}

resource "trailwire_trigger" "root_sign_in" {
  hub              = trailwire_hub.quickstart.id
  name             = "root-sign-in"
  description      = "The root user signed in to the console"
  severity         = "critical"
  event_names      = ["ConsoleLogin"]
  match_expression = "detail.userIdentity.type == 'Root'"

  action {
    notify {
      destinations = [trailwire_destination.team.name]
      title        = "Root signed in to account {{ account }}"
      fields = {
        "MFA" = "detail.additionalEventData.MFAUsed"
      }
    }
  }
}

resource "trailwire_trigger" "access_key_created" {
  hub         = trailwire_hub.quickstart.id
  name        = "access-key-created"
  description = "Somebody has a new long-lived key"
  severity    = "medium"
  event_names = ["CreateAccessKey"]

  action {
    notify {
      destinations = [trailwire_destination.team.name]
      title        = "{{ actor }} created an access key"
      fields = {
        "For user" = "detail.requestParameters.userName"
      }
    }
  }
}
