# Once in each account: the role that discovery assumes there, and the role that EventBridge sends as.

data "aws_partition" "this" {}

locals {
  policies  = "${path.module}/../../policies"
  partition = data.aws_partition.this.partition
}

resource "aws_iam_role" "discovery" {
  name = var.role_name
  assume_role_policy = templatefile("${local.policies}/member-trust.json", {
    discovery_role_arn = var.discovery_role_arn
    external_id        = var.external_id
  })
  tags = var.tags
}

resource "aws_iam_role_policy" "discovery" {
  name   = "discovery"
  role   = aws_iam_role.discovery.id
  policy = file("${local.policies}/member.json")
}

resource "aws_iam_role_policy" "enrolment" {
  count = var.enrolment ? 1 : 0
  name  = "enrolment"
  role  = aws_iam_role.discovery.id
  policy = templatefile("${local.policies}/enrolment.json", {
    partition     = local.partition
    document_name = var.document_name
  })
}

resource "aws_iam_role" "forward" {
  count              = var.bus_arn == "" ? 0 : 1
  name               = "${var.role_name}Forward"
  assume_role_policy = file("${local.policies}/forward-trust.json")
  tags               = var.tags
}

resource "aws_iam_role_policy" "forward" {
  count = var.bus_arn == "" ? 0 : 1
  name  = "forward"
  role  = aws_iam_role.forward[0].id
  policy = templatefile("${local.policies}/forward.json", {
    bus_arn = var.bus_arn
  })
}
