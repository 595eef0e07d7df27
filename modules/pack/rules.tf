variable "rules" {
  description = "The rules by their names. A rule's match is JMESPath over the whole event; `read_only` and `frequent` say that it is made only where that is asked for."
  type = map(object({
    description   = string
    severity      = optional(string, "medium")
    event_names   = optional(list(string))
    any_event     = optional(bool, false)
    event_sources = optional(list(string))
    match         = optional(string)
    on_error      = optional(string, "no_match")
    read_only     = optional(bool, false)
    frequent      = optional(bool, false)
    allow         = optional(map(string))
    title         = optional(string)
    fields        = optional(map(string))
    tests = optional(list(object({
      name   = string
      expect = bool
      event  = string
    })), [])
  }))
}
