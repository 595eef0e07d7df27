//! The blocks of destinations in AWS. All take data (notifications and whole events) but for `email`.

use crate::schema::{Attribute, NestedBlock, Type};

pub(super) fn blocks() -> Vec<NestedBlock> {
    vec![
        of_aws(
            NestedBlock::optional(
                "sns",
                "An SNS topic. Notifications are subject and text, since people read them by mail; whole events are JSON. The attributes `id`, `severity`, `trigger` and \
                 `type` are there for subscription filters; a FIFO topic drops repetitions.",
            )
            .attribute(required("topic_arn").describe("The topic.")),
        ),
        of_aws(
            NestedBlock::optional("email", "E-mail in plain text, by SES. Takes notifications only.")
                .attribute(required("from").describe("The sender, an address or of a domain that SES has verified."))
                .attribute(Attribute::list("to", Type::String).required().not_empty().describe("The recipients, 1 to 50.")),
        ),
        of_aws(
            NestedBlock::optional("sqs", "An SQS queue: JSON, `{\"type\", \"timestamp\", \"data\", \"id\"}`. A FIFO queue drops repetitions.")
                .attribute(required("queue_url").describe("The queue's URL.")),
        ),
        of_aws(
            NestedBlock::optional("kinesis", "A Kinesis data stream: a record of JSON for each delivery.")
                .attribute(required("stream_arn").describe("The stream."))
                .attribute(Attribute::string("partition_key").not_empty().describe(
                    "A JMESPath expression over the event, such as `detail.userIdentity.arn`. Without it, and where it gives neither text nor number, records are spread evenly.",
                )),
        ),
        of_aws(
            NestedBlock::optional("firehose", "A Firehose stream: a line of JSON for each delivery.")
                .attribute(required("stream_name").describe("The stream's name.")),
        ),
        of_aws(
            NestedBlock::optional(
                "event_bus",
                "An EventBridge bus: an event of source `trailwire` and detail type `Trailwire Notification` or `Trailwire Event` for each delivery.",
            )
            .attribute(required("bus_arn").describe("The bus.")),
        ),
        of_aws(
            NestedBlock::optional("lambda", "A Lambda function, called asynchronously with JSON.")
                .attribute(required("function_arn").describe("The function, or a version or an alias of it.")),
        ),
        of_aws(
            NestedBlock::optional("step_functions", "A Step Functions state machine: one execution for each delivery, a repetition starts none.")
                .attribute(required("state_machine_arn").describe("The state machine.")),
        ),
        of_aws(
            NestedBlock::optional("log_group", "A CloudWatch Logs log group: a line of JSON for each delivery, in the stream `trailwire`, which is made.")
                .attribute(required("name").describe("The log group's name. It must be there.")),
        ),
        of_aws(
            NestedBlock::optional(
                "opensearch",
                "An index of an OpenSearch domain (2.7 or later) or collection: a document for each delivery. The index template `trailwire-INDEX` is put, by \
                 which what events say never becomes a field of the index.",
            )
            .attribute(required("endpoint").describe("The domain's or collection's address."))
            .attribute(required("index").describe("The index, an alias or a data stream.")),
        ),
    ]
}

fn required(name: &'static str) -> Attribute {
    Attribute::string(name).required().not_empty()
}

fn of_aws(block: NestedBlock) -> NestedBlock {
    block
        .attribute(
            Attribute::string("region").not_empty().describe("Its region, where its ARN or address does not tell it; otherwise the hub's."),
        )
        .attribute(
            Attribute::string("role_arn").not_empty().describe("A role that is assumed to reach it, in another account for example."),
        )
}
