# Run `terraform test`. The provider is mocked: the triggers are planned and checked, and nothing is asked of AWS.
mock_provider "trailwire" {}

run "somebody_else_is_told" {
  command = plan

  assert {
    condition     = provider::trailwire::match(trailwire_trigger.security_group_opened.match_expression, file("events/developer.json"))
    error_message = provider::trailwire::explain(trailwire_trigger.security_group_opened.match_expression, file("events/developer.json"))
  }
}

run "the_trusted_role_is_not" {
  command = plan

  assert {
    condition     = !provider::trailwire::match(trailwire_trigger.security_group_opened.match_expression, file("events/network-admin.json"))
    error_message = provider::trailwire::explain(trailwire_trigger.security_group_opened.match_expression, file("events/network-admin.json"))
  }
}

run "the_trusted_role_is_a_variable" {
  command = plan

  variables {
    trusted_role = "developer"
  }

  assert {
    condition     = !provider::trailwire::match(trailwire_trigger.security_group_opened.match_expression, file("events/developer.json"))
    error_message = provider::trailwire::explain(trailwire_trigger.security_group_opened.match_expression, file("events/developer.json"))
  }
}

run "eventbridge_decides_all_of_it" {
  command = plan

  assert {
    condition     = jsondecode(provider::trailwire::event_pattern(trailwire_trigger.denied.match_expression)).detail == { errorCode = ["Client.UnauthorizedOperation"] }
    error_message = "Some of the match is left to the runtime."
  }

  assert {
    condition     = alltrue([for name in trailwire_trigger.denied.event_names : contains(provider::trailwire::event_names("ec2.amazonaws.com"), name)])
    error_message = "EC2 records no event of one of these names."
  }
}
