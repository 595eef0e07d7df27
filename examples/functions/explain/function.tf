locals {
  event = file("events/root-login.json")
  # The verdict, why, and what every part came to.
  why = provider::trailwire::explain("detail.userIdentity.type == 'IAMUser'", local.event)
}
