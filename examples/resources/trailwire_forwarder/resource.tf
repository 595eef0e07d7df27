# One rule in every region of every account, for any number of triggers.
resource "trailwire_forwarder" "all_writes" {
  hub  = "security"
  name = "all-writes"
  all  = true
}

resource "trailwire_trigger" "group_opened" {
  hub         = "security"
  name        = "group-opened"
  forwarder   = trailwire_forwarder.all_writes.name
  event_names = ["AuthorizeSecurityGroupIngress"]

  action {
    notify {
      destinations = ["security-slack"]
    }
  }
}

# The read-only events of a few sources alone: those of all sources are very many.
resource "trailwire_forwarder" "secrets_read" {
  hub               = "security"
  name              = "secrets-read"
  event_sources     = ["secretsmanager.amazonaws.com", "ssm.amazonaws.com"]
  include_read_only = true
}
