data "trailwire_regions" "enabled" {}

# All of Europe, whatever else is enabled.
resource "trailwire_hub" "europe" {
  name    = "europe"
  region  = "eu-west-1"
  regions = [for region in data.trailwire_regions.enabled.names : region if startswith(region, "eu-")]
}
