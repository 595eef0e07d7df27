data "trailwire_deploy_policy" "member" {
  role = "member"
}

output "member_policy" {
  value = data.trailwire_deploy_policy.member.json
}
