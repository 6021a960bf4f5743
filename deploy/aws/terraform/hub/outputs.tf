output "discovery_role_arn" {
  description = "For the trust policy of the members' roles."
  value       = aws_iam_role.discovery.arn
}

output "bus_arn" {
  description = "Where accounts and regions send their events."
  value       = aws_cloudwatch_event_bus.this.arn
}

output "queue_url" {
  description = "For `events` of discovery.yaml."
  value       = aws_sqs_queue.events.url
}

output "dead_letter_queue_url" {
  description = "What discovery could not make sense of five times; worth an alarm."
  value       = aws_sqs_queue.dead.url
}
