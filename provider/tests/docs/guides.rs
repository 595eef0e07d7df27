//! Guides whose lists are the code's own.

use trailwire_engine::operations::{named, names, resource_types};
use trailwire_engine::template::{FUEL, MAX_OUTPUT, VARIABLES};

fn head(title: &str, about: &str) -> String {
    format!("---\npage_title: \"{title}\"\nsubcategory: \"\"\ndescription: |-\n  {about}\n---\n\n# {title}\n\n")
}

/// What titles and messages may use.
pub(crate) fn templates() -> String {
    let mut text = head("Templates", "What titles, messages and the parameters of queries may use.");
    text.push_str(&format!(
        "Titles and messages of `notify`, and the texts in the parameters of `query`, are templates in the language of Jinja2: a value stands in `{{{{ … }}}}`, a condition in \
         `{{% if … %}} … {{% endif %}}`. They run in a sandbox: no files, no includes, at most {FUEL} steps and {} KB of text. A member that an event does not have prints as \
         nothing; the name of a variable, filter or test that does not exist is an error of the plan.\n\n\
         What an event or an answer of AWS says comes in one line, is never read as a template, and is escaped for where the message goes.\n\n\
         | variable | what it holds |\n| --- | --- |\n",
        MAX_OUTPUT / 1024
    ));
    for variable in VARIABLES {
        text.push_str(&format!("| `{}` | {} |\n", variable.name, variable.meaning.replace('|', "\\|")));
    }
    text.push_str(
        "| the `as` of each `query` before | the [result of that query](queries.md): `{{ instances }}`, `{{ asg.wanted }}`; nothing where AWS has no such thing |\n\n\
         ```terraform\naction {\n  notify {\n    destinations = [trailwire_destination.team.name]\n    title        = \"{{ event_name }} by {{ actor }}\"\n    \
         message      = \"{% if error_code %}It failed: {{ error_code }}{% else %}{{ detail.requestParameters.groupId }} is open{% endif %}\"\n  }\n}\n```\n",
    );
    text
}

/// What queries may call.
pub(crate) fn queries(example: &str) -> String {
    let mut text = head("Queries", "Asking AWS between two messages: what may be called, by which role, and what happens when it fails.");
    text.push_str(
        "The action `query` asks AWS something in the account and region of the event, and keeps the result for the templates of the actions after it. This tells of every \
         change of an Auto Scaling group, and ten minutes later how many instances run:\n\n```terraform\n",
    );
    text.push_str(example.trim_end());
    text.push_str(
        "\n```\n\n## What is asked\n\n\
         `parameters` holds the operation's parameters with AWS's own names, as JSON. Its texts are [templates](templates.md) that see the event and the results of queries before; \
         one that gives nothing ends the query, so that nothing else is asked for than was meant. `result` is JMESPath over the answer, in which all pages are one: names are those of \
         AWS's API references, times are text (`2026-03-01T12:00:00Z`), policies of IAM are objects. Operation, parameters, the members that `result` reads and those that a \
         template reads of it are checked while planning.\n\n\
         At most 20 pages and 16 MB are read in 25 seconds, and a result may have 16 KB; beyond that the query ends with an error that says so. Results are kept with the run: a message \
         that is tried again, after a crash too, says the same. A crash while AWS is asked asks again.\n\n\
         ## By whom\n\n\
         The hub's `query_operations` name what may be called. In every account in scope the hub keeps the role `tw-…-read`, which may do the IAM actions of just these operations and \
         trusts the hub's own account with the external id that is the hub's ARN. `runtime_policy_json` lets the runtime take it; who else in the hub's account may is decided there. \
         Omit `query_operations`, and the roles go. What these roles do fires no trigger without `include_self`.\n\n\
         ## When it fails\n\n\
         | what AWS says | what happens |\n| --- | --- |\n\
         | there is no such thing (`NoSuchEntity`, `InvalidInstanceID.NotFound`, …) | the result is null, which prints as nothing |\n\
         | throttling, an outage, no answer in time, an answer that breaks off | asked again as a delivery is tried again: for a day, with growing pauses |\n\
         | access denied, or the role cannot be taken | the same: roles take a while to be known, and can be repaired |\n\
         | anything else | the run ends here |\n\n\
         A query that is given up is a dead letter with the reason, AWS's request id, account and region: `trailwire dlq redrive` asks again and goes on from there. What was told before stays told; \
         what comes after waits for the answer.\n\n\
         Without a hub (`--definitions`) there is no reading role, and a query ends with that error.\n\n\
         ## What may be called\n\n\
         Operations that change something or return secrets are not here, and neither are members that AWS calls sensitive, or environment variables of Lambda functions.\n\n\
         | `service:Operation` | IAM action |\n| --- | --- |\n",
    );
    for name in names() {
        let (_, operation) = named(&name).expect("it is there");
        text.push_str(&format!("| `{name}` | `{}` |\n", operation.action));
    }
    text.push_str(
        "\nCloud Control reads a resource with the rights of whoever asks: beside `cloudformation:GetResource` and `cloudformation:ListResources` the role needs what the read handler of \
         the resource's type calls. Attach a policy to `tw-…-read` that allows it, such as AWS's `SecurityAudit`, and detach it before the hub is destroyed. `Properties` is JSON in a text: \
         `parse_json(ResourceDescription.Properties)`. The types whose properties hold no secrets, and that may be asked for, are ",
    );
    text.push_str(&resource_types().iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "));
    text.push_str(".\n");
    text
}
