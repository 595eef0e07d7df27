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

  test {
    name   = "root opens a group"
    event  = file("${path.module}/events/root-opens-group.json")
    expect = true
  }

  test {
    name   = "an administrator does"
    event  = jsonencode({ eventName = "AuthorizeSecurityGroupIngress", eventSource = "ec2.amazonaws.com", userIdentity = { type = "AssumedRole" } })
    expect = false
  }
}
