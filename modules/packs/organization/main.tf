module "pack" {
  source = "../../pack"

  rules = local.rules

  hub                   = var.hub
  destinations          = var.destinations
  severity_destinations = var.severity_destinations
  only                  = var.only
  disabled              = var.disabled
  include_read_only     = var.include_read_only
  include_frequent      = var.include_frequent
  severities            = var.severities
  exceptions            = var.exceptions
  regions               = var.regions
  exclude_regions       = var.exclude_regions
  account_ids           = var.account_ids
  name_prefix           = var.name_prefix
  tags                  = var.tags
}
