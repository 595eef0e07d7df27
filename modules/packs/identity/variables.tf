variable "hub" {
  description = "The hub: its id, its name, or the ARN of its bus."
  type        = string
}

variable "destinations" {
  description = "Names of the destinations that are told."
  type        = list(string)
}

variable "severity_destinations" {
  description = "Other destinations for a severity, such as { critical = [\"pager\"] }."
  type        = map(list(string))
  default     = {}
}

variable "only" {
  description = "Exactly these rules, those included that are made only where asked for. Omitted: all that the other settings leave."
  type        = set(string)
  default     = null
}

variable "disabled" {
  description = "Rules that are not wanted."
  type        = set(string)
  default     = []
}

variable "include_read_only" {
  description = "Whether to have the rules, too, that watch read-only events (Describe*, Get*, List*). Only the events that they name are forwarded."
  type        = bool
  default     = false
}

variable "include_frequent" {
  description = "Whether to have the rules, too, that fire in the daily work of most accounts."
  type        = bool
  default     = false
}

variable "severities" {
  description = "Another severity for a rule: its name to info, low, medium, high or critical."
  type        = map(string)
  default     = {}
}

variable "exceptions" {
  description = "What a rule is to leave alone: its name to a JMESPath expression, `*` for every rule. Guard fields that may be absent: where the expression errs, the rule is silent."
  type        = map(string)
  default     = {}
}

variable "regions" {
  description = "Narrows the hub's regions to these. Omitted: all of them."
  type        = set(string)
  default     = null
}

variable "exclude_regions" {
  description = "Taken out of the regions."
  type        = set(string)
  default     = null
}

variable "account_ids" {
  description = "Narrows the hub's accounts to these. Omitted: all of them."
  type        = set(string)
  default     = null
}

variable "name_prefix" {
  description = "Put before the name of every trigger. A trigger's name has at most 40 characters."
  type        = string
  default     = ""
}

variable "tags" {
  description = "Tags on everything in AWS that the triggers make."
  type        = map(string)
  default     = null
}
