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

# From the Sigma rule 00000000-0000-4000-8000-000000000001, "Root Does Something", by the authors of
# Trailwire.
resource "trailwire_trigger" "root_does_something" {
  hub               = var.hub
  name              = "root-does-something"
  description       = "The root user does something that is not a service's doing."
  severity          = "high"
  any_event         = true
  include_read_only = true
  match_expression  = "detail.userIdentity.type == 'Root' && !(detail.eventType == 'AwsServiceEvent')"

  action {
    notify {
      destinations = var.destinations
    }
  }
}
