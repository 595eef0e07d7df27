resource "trailwire_trigger" "root_opens_group" {
  hub              = "security"
  name             = "root-opens-group"
  severity         = "high"
  event_names      = ["AuthorizeSecurityGroupIngress"]
  event_sources    = ["ec2.amazonaws.com"]
  match_expression = "detail.userIdentity.type == 'Root'"

  action {
    notify {
      destinations = ["security-slack"]
      title        = "{{ event_name }} by {{ actor }}"
    }
  }
}
