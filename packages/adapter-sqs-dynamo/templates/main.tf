# What Baton needs on AWS, for production. Give workers and clients the rights of iam-policy.json, with your region and account.
# A test holds it against the table that the run store works with.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

variable "table_name" {
  type    = string
  default = "baton"
}

variable "queue_name" {
  type    = string
  default = "baton"
}

variable "visibility_timeout" {
  description = "In seconds. For a function of AWS Lambda at least its timeout; AWS recommends six times that."
  type        = number
  default     = 60
}

variable "priority_queues" {
  description = "Also queues for jobs of a priority above and below 0, named like the queue with -high and -low."
  type        = bool
  default     = false
}

resource "aws_dynamodb_table" "baton" {
  name         = var.table_name
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "pk"
  range_key    = "sk"

  attribute {
    name = "pk"
    type = "S"
  }
  attribute {
    name = "sk"
    type = "S"
  }
  attribute {
    name = "dp"
    type = "S"
  }
  attribute {
    name = "mark"
    type = "N"
  }
  attribute {
    name = "cp"
    type = "S"
  }
  attribute {
    name = "lp"
    type = "S"
  }
  attribute {
    name = "created"
    type = "N"
  }

  global_secondary_index {
    name               = "due"
    hash_key           = "dp"
    range_key          = "mark"
    projection_type    = "INCLUDE"
    non_key_attributes = ["flow", "due", "remind"]
  }
  global_secondary_index {
    name            = "created"
    hash_key        = "cp"
    range_key       = "created"
    projection_type = "KEYS_ONLY"
  }
  global_secondary_index {
    name            = "letters"
    hash_key        = "lp"
    range_key       = "created"
    projection_type = "KEYS_ONLY"
  }

  ttl {
    attribute_name = "ttl"
    enabled        = true
  }
  point_in_time_recovery {
    enabled = true
  }
  server_side_encryption {
    enabled = true
  }
  deletion_protection_enabled = true

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_sqs_queue" "baton" {
  name                       = var.queue_name
  visibility_timeout_seconds = var.visibility_timeout
  sqs_managed_sse_enabled    = true
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead.arn
    maxReceiveCount     = 20
  })
}

resource "aws_sqs_queue" "high" {
  count                      = var.priority_queues ? 1 : 0
  name                       = "${var.queue_name}-high"
  visibility_timeout_seconds = var.visibility_timeout
  sqs_managed_sse_enabled    = true
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead.arn
    maxReceiveCount     = 20
  })
}

resource "aws_sqs_queue" "low" {
  count                      = var.priority_queues ? 1 : 0
  name                       = "${var.queue_name}-low"
  visibility_timeout_seconds = var.visibility_timeout
  sqs_managed_sse_enabled    = true
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead.arn
    maxReceiveCount     = 20
  })
}

resource "aws_sqs_queue" "dead" {
  name                       = "${var.queue_name}-dead"
  visibility_timeout_seconds = var.visibility_timeout
  message_retention_seconds  = 1209600
  sqs_managed_sse_enabled    = true
}

output "table_name" {
  value = aws_dynamodb_table.baton.name
}

output "queue_url" {
  value = aws_sqs_queue.baton.url
}

output "high_queue_url" {
  value = one(aws_sqs_queue.high[*].url)
}

output "low_queue_url" {
  value = one(aws_sqs_queue.low[*].url)
}

output "dead_letter_queue_url" {
  value = aws_sqs_queue.dead.url
}
