# An Auto Scaling group is changed: say so, wait ten minutes, ask AWS how many instances run by then, and say that, too.

terraform {
  required_providers {
    trailwire = { source = "trailwire/trailwire" }
  }
}

provider "trailwire" {
  region = "us-east-1"
}

variable "webhook_url" {
  description = "Where to tell of it."
  type        = string
  sensitive   = true
}

variable "settle" {
  description = "How long a group has to come to its size."
  type        = string
  default     = "10m"
}

resource "trailwire_hub" "operations" {
  name    = "operations"
  regions = ["us-east-1", "eu-west-1"]

  # What queries may call. Every account gets a role that may do just that.
  query_operations = [
    "autoscaling:DescribeAutoScalingGroups",
    "ec2:DescribeInstances",
  ]
}

resource "trailwire_destination" "team" {
  hub  = trailwire_hub.operations.id
  name = "team"

  webhook {
    url_wo         = var.webhook_url
    url_wo_version = 1
  }
}

resource "trailwire_trigger" "group_changed" {
  hub           = trailwire_hub.operations.id
  name          = "group-changed"
  description   = "An Auto Scaling group was changed"
  event_sources = ["autoscaling.amazonaws.com"]
  event_names   = ["CreateAutoScalingGroup", "SetDesiredCapacity", "UpdateAutoScalingGroup"]

  action {
    notify {
      destinations = [trailwire_destination.team.name]
      title        = "{{ detail.requestParameters.autoScalingGroupName }}: {{ event_name }} by {{ actor }}"
    }
  }

  action {
    wait {
      duration = var.settle
    }
  }

  action {
    query {
      service    = "autoscaling"
      operation  = "DescribeAutoScalingGroups"
      parameters = jsonencode({ AutoScalingGroupNames = ["{{ detail.requestParameters.autoScalingGroupName }}"] })
      result     = "AutoScalingGroups[0].{name: AutoScalingGroupName, wanted: DesiredCapacity}"
      as         = "asg"
    }
  }

  action {
    query {
      service   = "ec2"
      operation = "DescribeInstances"
      parameters = jsonencode({
        Filters = [
          { Name = "tag:aws:autoscaling:groupName", Values = ["{{ detail.requestParameters.autoScalingGroupName }}"] },
          { Name = "instance-state-name", Values = ["running"] },
        ]
      })
      result = "length(Reservations[].Instances[])"
      as     = "running"
    }
  }

  action {
    notify {
      destinations = [trailwire_destination.team.name]
      title        = "{{ asg.name }}: {{ running }} of {{ asg.wanted }} instances run"
    }
  }
}
