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

resource "trailwire_trigger" "root_usage" {
  hub               = var.hub
  name              = "root-usage"
  any_event         = true
  include_read_only = true
  filter_pattern    = "{ ($.userIdentity.type = \"Root\") && ($.userIdentity.invokedBy NOT EXISTS) && ($.eventType != \"AwsServiceEvent\") }"

  action {
    notify {
      destinations = var.destinations
    }
  }
}
