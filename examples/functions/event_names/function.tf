locals {
  # Names that CloudTrail writes with a date: CreateFunction20150331.
  created_functions = [for name in provider::trailwire::event_names("lambda.amazonaws.com") : name if startswith(name, "CreateFunction")]
}
