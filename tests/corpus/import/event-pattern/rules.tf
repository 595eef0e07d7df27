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

# From the EventBridge rule `SecurityGroupOpened`.
# Not carried over: the targets of the rule
resource "trailwire_trigger" "security_group_opened" {
  hub               = var.hub
  name              = "security-group-opened"
  description       = "A group lets everybody in."
  event_names       = ["AuthorizeSecurityGroupIngress"]
  include_read_only = true
  event_pattern = jsonencode({
    source = ["aws.ec2"]
    detail = {
      requestParameters = {
        ipPermissions = {
          items = {
            ipRanges = {
              items = {
                cidrIp = ["0.0.0.0/0"]
              }
            }
          }
        }
      }
    }
  })

  action {
    notify {
      destinations = var.destinations
    }
  }
}

# From the EventBridge rule `KeysMadeByPeople`.
# Not carried over: the targets of the rule
resource "trailwire_trigger" "keys_made_by_people" {
  hub       = var.hub
  name      = "keys-made-by-people"
  enabled   = false
  any_event = true
  event_pattern = jsonencode({
    detail = {
      eventName = [
        {
          prefix = "Create"
        },
        "ImportKeyPair",
      ]
      userIdentity = {
        type = [
          {
            anything-but = ["AWSService"]
          },
        ]
        invokedBy = [
          {
            exists = false
          },
        ]
      }
    }
  })

  action {
    notify {
      destinations = var.destinations
    }
  }
}

# Left out: InstanceStopped: it is about events that are not CloudTrail's: `detail-type` is `EC2
# Instance State-change Notification`

# Left out: Nightly: it has a schedule, not a pattern
