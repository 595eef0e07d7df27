variable "slack_url" {
  type      = string
  sensitive = true
}

resource "trailwire_destination" "slack" {
  hub  = "security"
  name = "security-slack"

  slack {
    # Kept in Secrets Manager, never in the state. Raise the version to store a new one.
    webhook_url_wo         = var.slack_url
    webhook_url_wo_version = 1
  }
}

# Whole events, and notifications as JSON. The runtime's role needs this destination's `runtime_policy_json`.
resource "trailwire_destination" "evidence" {
  hub  = "security"
  name = "evidence"

  sqs {
    queue_url = "https://sqs.us-east-1.amazonaws.com/111122223333/evidence"
  }
}

# In another account, by a role there.
resource "trailwire_destination" "topic" {
  hub  = "security"
  name = "topic"

  sns {
    topic_arn = "arn:aws:sns:eu-west-1:444455556666:alerts"
    role_arn  = "arn:aws:iam::444455556666:role/trailwire-alerts"
  }
}
