variable "privileged_roles" {
  description = "A regular expression of what the names of roles have in common that may do much, in upper or lower case. For `privileged-role-assumed`."
  type        = string
  default     = "admin"
}
