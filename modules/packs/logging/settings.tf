variable "log_buckets" {
  description = "A regular expression of what the names of buckets with logs have in common, in upper or lower case. For `log-bucket-forgets`."
  type        = string
  default     = "trail|logs"
}

variable "log_retention_days" {
  description = "Logs are to be kept for at least so many days. For `log-bucket-forgets`."
  type        = number
  default     = 90
}
