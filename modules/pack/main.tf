# A set of rules as triggers. The packs are made with it, and so can be your own.

locals {
  # A rule that is named is wanted, whatever it watches.
  active = {
    for name, rule in var.rules : name => rule
    if !contains(var.disabled, name) && (
      var.only == null
      ? (var.include_read_only || !rule.read_only) && (var.include_frequent || !rule.frequent)
      : contains(coalesce(var.only, []), name)
    )
  }

  exceptions = {
    for name, rule in local.active : name => [for key in [name, "*"] : "!(${var.exceptions[key]})" if contains(keys(var.exceptions), key)]
  }

  # `match` first: what it lets through is little, and an exception may be dear.
  matches = {
    for name, rule in local.active : name => (
      length(local.exceptions[name]) == 0
      ? rule.match
      : join(" && ", concat(rule.match == null ? [] : ["(${trimspace(rule.match)})"], local.exceptions[name]))
    )
  }

  severities = { for name, rule in local.active : name => lookup(var.severities, name, rule.severity) }

  unknown = setsubtract(
    setunion(var.disabled, coalesce(var.only, []), keys(var.severities), setsubtract(keys(var.exceptions), ["*"])),
    keys(var.rules),
  )
}

resource "trailwire_trigger" "rule" {
  for_each = local.active

  hub               = var.hub
  name              = "${var.name_prefix}${each.key}"
  description       = each.value.description
  severity          = local.severities[each.key]
  event_names       = each.value.event_names
  any_event         = each.value.any_event
  event_sources     = each.value.event_sources
  match_expression  = local.matches[each.key]
  on_error          = each.value.on_error
  include_read_only = each.value.read_only
  allow             = each.value.allow
  regions           = var.regions
  exclude_regions   = var.exclude_regions
  account_ids       = var.account_ids
  tags              = var.tags

  action {
    notify {
      destinations = lookup(var.severity_destinations, local.severities[each.key], var.destinations)
      title        = each.value.title
      fields       = each.value.fields
    }
  }

  dynamic "test" {
    # An exception may be about just what a test has fire.
    for_each = [for test in each.value.tests : test if !test.expect || length(local.exceptions[each.key]) == 0]

    content {
      name   = test.value.name
      event  = test.value.event
      expect = test.value.expect
    }
  }
}
