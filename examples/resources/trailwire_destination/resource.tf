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
