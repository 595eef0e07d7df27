locals {
  event = file("events/root-login.json")
  # true: the same verdict that a trigger with this match_expression comes to
  told = provider::trailwire::match("detail.userIdentity.type == 'Root'", local.event)
}
