output "triggers" {
  description = "The triggers by the names of their rules."
  value       = module.pack.triggers
}
