# The account that discovery runs in, in the region of its queue: discovery's role, the event bus that accounts
# and regions send to, and the queue that discovery reads.

data "aws_caller_identity" "this" {}
data "aws_partition" "this" {}
data "aws_region" "this" {}

locals {
  policies  = "${path.module}/../../policies"
  partition = data.aws_partition.this.partition
  region    = data.aws_region.this.name
  account   = data.aws_caller_identity.this.account_id
  rules     = toset(["state", "tag", "cloudtrail"])
  rules_arn = "arn:${local.partition}:events:${local.region}:${local.account}:rule/${aws_cloudwatch_event_bus.this.name}/*"
}

resource "aws_iam_role" "discovery" {
  name               = var.discovery_role_name
  assume_role_policy = var.discovery_trust_policy
  tags               = var.tags
}

resource "aws_iam_role_policy" "discovery" {
  name = "discovery"
  role = aws_iam_role.discovery.id
  policy = templatefile("${local.policies}/discovery.json", {
    partition        = local.partition
    member_role_name = var.member_role_name
    queue_arn        = aws_sqs_queue.events.arn
  })
}

# Only where this account is the management account of the organisation, or a delegated administrator.
resource "aws_iam_role_policy" "organization" {
  count  = var.read_organization ? 1 : 0
  name   = "organization"
  role   = aws_iam_role.discovery.id
  policy = file("${local.policies}/organization.json")
}

# Only for instances of this account: those of others are enrolled through their own role.
resource "aws_iam_role_policy" "enrolment" {
  count = var.enrolment ? 1 : 0
  name  = "enrolment"
  role  = aws_iam_role.discovery.id
  policy = templatefile("${local.policies}/enrolment.json", {
    partition     = local.partition
    document_name = var.document_name
  })
}

resource "aws_cloudwatch_event_bus" "this" {
  name = var.name
  tags = var.tags
}

resource "aws_cloudwatch_event_bus_policy" "this" {
  event_bus_name = aws_cloudwatch_event_bus.this.name
  policy = templatefile("${local.policies}/bus.json", {
    bus_arn         = aws_cloudwatch_event_bus.this.arn
    organization_id = var.organization_id
  })
}

resource "aws_cloudwatch_event_rule" "this" {
  for_each       = local.rules
  name           = "${var.name}-${each.key}"
  event_bus_name = aws_cloudwatch_event_bus.this.name
  event_pattern  = file("${path.module}/../../events/${each.key}.json")
  tags           = var.tags
}

resource "aws_cloudwatch_event_target" "this" {
  for_each       = local.rules
  rule           = aws_cloudwatch_event_rule.this[each.key].name
  event_bus_name = aws_cloudwatch_event_bus.this.name
  arn            = aws_sqs_queue.events.arn
}

resource "aws_sqs_queue" "events" {
  name = var.name
  # Longer than any outage that is worth catching up on: the next scan sees the same.
  message_retention_seconds = 3600
  # Discovery hides what it receives for as long as it works on it; this is for others.
  visibility_timeout_seconds = 120
  receive_wait_time_seconds  = 20
  sqs_managed_sse_enabled    = true
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead.arn
    maxReceiveCount     = 5
  })
  tags = var.tags
}

resource "aws_sqs_queue" "dead" {
  name                      = "${var.name}-dead"
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = true
  tags                      = var.tags
}

resource "aws_sqs_queue_redrive_allow_policy" "dead" {
  queue_url = aws_sqs_queue.dead.id
  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [aws_sqs_queue.events.arn]
  })
}

resource "aws_sqs_queue_policy" "events" {
  queue_url = aws_sqs_queue.events.id
  policy = templatefile("${local.policies}/queue.json", {
    queue_arn = aws_sqs_queue.events.arn
    rules_arn = local.rules_arn
  })
}
