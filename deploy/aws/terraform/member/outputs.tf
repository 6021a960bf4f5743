output "role_arn" {
  description = "The role that discovery assumes."
  value       = aws_iam_role.discovery.arn
}

output "forward_role_arn" {
  description = "For the rules in each region; empty for an account without events."
  value       = one(aws_iam_role.forward[*].arn)
}
