# The metric filter of the CIS benchmark, as a match_expression.
output "unauthorized" {
  value = provider::trailwire::from_filter_pattern("{ ($.errorCode = \"*UnauthorizedOperation\") || ($.errorCode = \"AccessDenied*\") }")
}
