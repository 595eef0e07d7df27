# Everything that creates something in IAM, users and roles and keys alike.
data "trailwire_event_names" "iam_created" {
  event_source = "iam.amazonaws.com"
  prefix       = "Create"
  read_only    = false
}

output "names" {
  value = data.trailwire_event_names.iam_created.names
}
