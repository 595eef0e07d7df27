# Triggers that are proven by `terraform test`: no AWS, no credentials, no state.

terraform {
  required_version = ">= 1.8.0"
  required_providers {
    trailwire = {
      source = "trailwire/trailwire"
    }
  }
}

variable "trusted_role" {
  description = "The name of the role that may open security groups."
  type        = string
  default     = "network-admin"
}

resource "trailwire_trigger" "security_group_opened" {
  hub              = "security"
  name             = "security-group-opened"
  severity         = "high"
  event_names      = ["AuthorizeSecurityGroupIngress"]
  event_sources    = ["ec2.amazonaws.com"]
  match_expression = "detail.userIdentity.sessionContext.sessionIssuer.userName != '${var.trusted_role}'"

  action {
    notify {
      destinations = ["security-slack"]
    }
  }
}

# A metric filter that is there already, as a trigger.
resource "trailwire_trigger" "denied" {
  hub              = "security"
  name             = "denied"
  event_names      = ["AuthorizeSecurityGroupIngress", "RunInstances"]
  match_expression = provider::trailwire::from_filter_pattern("{ $.errorCode = Client.UnauthorizedOperation }")

  action {
    notify {
      destinations = ["security-slack"]
    }
  }
}
