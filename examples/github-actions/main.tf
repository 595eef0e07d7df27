# What the workflow beside it checks on every pull request.

terraform {
  required_version = ">= 1.8.0"
  required_providers {
    trailwire = {
      source = "trailwire/trailwire"
    }
  }
}

provider "trailwire" {
  region = "us-east-1"
}

resource "trailwire_trigger" "security_group_opened" {
  hub              = "security"
  name             = "security-group-opened"
  severity         = "high"
  event_names      = ["AuthorizeSecurityGroupIngress"]
  event_sources    = ["ec2.amazonaws.com"]
  match_expression = "contains(detail.requestParameters.ipPermissions.items[].ipRanges.items[].cidrIp, '0.0.0.0/0')"

  action {
    notify {
      destinations = ["security-slack"]
      title        = "{{ actor }} opened a security group in {{ region }}"
    }
  }

  test {
    name   = "open to the world"
    event  = file("${path.module}/events/open-to-the-world.json")
    expect = true
  }

  test {
    name   = "open to the office"
    event  = file("${path.module}/events/open-to-the-office.json")
    expect = false
  }
}
