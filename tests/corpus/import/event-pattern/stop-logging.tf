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

resource "trailwire_trigger" "stop_logging" {
  hub           = var.hub
  name          = "stop-logging"
  event_names   = ["StopLogging", "DeleteTrail"]
  event_sources = ["cloudtrail.amazonaws.com"]
  event_pattern = jsonencode({
    source      = ["aws.cloudtrail"]
    detail-type = ["AWS API Call via CloudTrail"]
  })

  action {
    notify {
      destinations = var.destinations
    }
  }
}
