# A hub whose runtime is a Lambda function: nothing else has to run. `make lambda` builds the package.

terraform {
  required_providers {
    aws       = { source = "hashicorp/aws" }
    trailwire = { source = "trailwire/trailwire" }
  }
}

provider "trailwire" {
  region = "us-east-1"
}

variable "slack_url" {
  type      = string
  sensitive = true
}

resource "trailwire_hub" "security" {
  name = "security"

  lambda {
    filename = "target/trailwire-lambda-x86_64.zip"
  }
}

resource "trailwire_destination" "slack" {
  hub  = trailwire_hub.security.id
  name = "security-slack"

  slack {
    webhook_url_wo         = var.slack_url
    webhook_url_wo_version = 1
  }
}

# The function's role gets a policy of its own for each destination that needs one, made and removed with the destination.
resource "trailwire_destination" "evidence" {
  hub  = trailwire_hub.security.id
  name = "evidence"

  firehose {
    stream_name = "evidence"
  }
}

resource "trailwire_trigger" "access_keys" {
  hub         = trailwire_hub.security.id
  name        = "access-keys"
  severity    = "high"
  event_names = ["CreateAccessKey"]

  action {
    notify {
      destinations = [trailwire_destination.slack.name]
    }
  }

  action {
    send {
      destination = trailwire_destination.evidence.name
    }
  }
}
