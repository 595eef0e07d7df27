# A rule beside the ones that a trigger makes, with the pattern that its rules carry.
output "pattern" {
  value = provider::trailwire::event_pattern("detail.userIdentity.type == 'Root' && contains(detail.userAgent, 'console')")
}
