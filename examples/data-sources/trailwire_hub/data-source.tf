data "trailwire_hub" "security" {
  name = "security"
}
