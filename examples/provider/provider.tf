terraform {
  required_providers {
    trailwire = {
      source = "trailwire/trailwire"
    }
  }
}

# Credentials come from where the AWS command line finds them.
provider "trailwire" {
  region = "us-east-1"

  default_tags {
    tags = {
      team = "security"
    }
  }
}
