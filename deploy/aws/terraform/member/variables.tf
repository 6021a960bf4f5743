variable "role_name" {
  description = "The role that discovery assumes; the same in all accounts."
  type        = string
  default     = "TagplaneDiscovery"
}

variable "discovery_role_arn" {
  description = "Who may assume it: the role that discovery runs as."
  type        = string
}

variable "external_id" {
  description = "What discovery must say when it assumes it: `assume_role.external_id`."
  type        = string
  sensitive   = true
}

variable "bus_arn" {
  description = "The hub's event bus; empty for an account without events."
  type        = string
  default     = ""
}

variable "enrolment" {
  description = "Whether discovery enrols instances over SSM."
  type        = bool
  default     = false
}

variable "document_name" {
  description = "The SSM document that enrolment sends."
  type        = string
  default     = "AWS-RunShellScript"
}

variable "tags" {
  description = "For everything that takes tags."
  type        = map(string)
  default     = {}
}
