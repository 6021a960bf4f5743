# In each region of each account, the hub's own included: what happens to instances is sent to the hub's event bus.

locals {
  rules = toset(["state", "tag", "cloudtrail"])
}

resource "aws_cloudwatch_event_rule" "this" {
  for_each      = local.rules
  name          = "${var.name}-${each.key}"
  event_pattern = file("${path.module}/../../events/${each.key}.json")
  tags          = var.tags
}

resource "aws_cloudwatch_event_target" "this" {
  for_each = local.rules
  rule     = aws_cloudwatch_event_rule.this[each.key].name
  arn      = var.bus_arn
  role_arn = var.forward_role_arn
}
