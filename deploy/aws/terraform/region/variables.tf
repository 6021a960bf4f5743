variable "name" {
  description = "What the rules' names begin with."
  type        = string
  default     = "tagplane-discovery"
}

variable "bus_arn" {
  description = "The hub's event bus."
  type        = string
}

variable "forward_role_arn" {
  description = "The role that EventBridge sends as, of this account."
  type        = string
}

variable "tags" {
  description = "For everything that takes tags."
  type        = map(string)
  default     = {}
}
