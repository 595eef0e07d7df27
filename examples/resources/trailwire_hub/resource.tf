resource "trailwire_hub" "security" {
  name    = "security"
  regions = ["us-east-1", "eu-west-1"]
}
