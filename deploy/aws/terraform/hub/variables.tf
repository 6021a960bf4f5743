variable "name" {
  description = "Of the event bus and the queue."
  type        = string
  default     = "tagplane-discovery"
}

variable "discovery_role_name" {
  description = "The role that discovery runs as."
  type        = string
  default     = "TagplaneDiscoveryHub"
}

variable "discovery_trust_policy" {
  description = "Who may be that role: a trust policy in JSON, for EC2, ECS, or EKS."
  type        = string
}

variable "member_role_name" {
  description = "The role that discovery assumes in each account."
  type        = string
  default     = "TagplaneDiscovery"
}

variable "organization_id" {
  description = "The organisation whose accounts may send events: o-…"
  type        = string
}

variable "read_organization" {
  description = "Whether discovery lists the accounts of the organisation."
  type        = bool
  default     = false
}

variable "enrolment" {
  description = "Whether discovery enrols instances of this account over SSM."
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
