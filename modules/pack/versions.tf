terraform {
  required_version = ">= 1.5"

  required_providers {
    trailwire = {
      source = "trailwire/trailwire"
    }
  }
}
