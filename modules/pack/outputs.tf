output "triggers" {
  description = "The triggers by the names of their rules."
  value       = trailwire_trigger.rule

  precondition {
    condition     = length(local.unknown) == 0
    error_message = "There is no rule ${join(", ", [for name in local.unknown : "`${name}`"])} here. The rules are: ${join(", ", keys(var.rules))}."
  }
}
