use serde_json::json;

use super::*;

fn variables() -> Variables {
    Variables::new()
        .text("event_name", Some("RunInstances"))
        .text("error_code", None)
        .text("user_agent", Some("{{ 7 * 7 }} <!channel>"))
        .named("actor", "Admin/alice (role session)".to_owned(), &json!({"session": "alice", "mfa": false}))
        .json("detail", &json!({"requestParameters": {"groupId": "sg-1", "items": [1, 2]}, "none": null, "on": true}))
}

#[test]
fn templates_print_what_the_event_says() {
    let cases = [
        ("{{ event_name }} by {{ actor }}", "RunInstances by Admin/alice (role session)"),
        ("{{ actor.session }} {{ actor.mfa }} {{ actor.role }}", "alice false "),
        ("{{ detail.requestParameters.groupId }}", "sg-1"),
        ("[{{ detail.requestParameters.missing.deeper }}]", "[]"),
        ("[{{ detail.none }}|{{ error_code }}]", "[|]"),
        ("{% if error_code %}failed{% else %}worked{% endif %}", "worked"),
        ("{% for item in detail.requestParameters['items'] %}{{ item }};{% endfor %}", "1;2;"),
        ("{{ event_name | lower }}{{ error_code | default('-') }}", "runinstances-"),
        ("{{ detail.requestParameters }} {{ detail.on }}", "{\"groupId\":\"sg-1\",\"items\":[1,2]} true"),
        ("plain & <text>", "plain & <text>"),
        // What an event says is never template code.
        ("{{ user_agent }}", "{{ 7 * 7 }} <!channel>"),
    ];
    for (template, expected) in cases {
        check(template, &Results::new()).unwrap();
        assert_eq!(render(template, &variables()).as_deref(), Ok(expected), "{template}");
    }
}

#[test]
fn faults_are_named() {
    let cases = [
        ("{{ event_nam }}", "unknown variable `event_nam`", Some(1)),
        ("a\n{% if nope %}x{% endif %}", "unknown variable `nope`", Some(2)),
        ("{{ event_name", "unexpected end of input, expected end of variable block", Some(1)),
        ("{% include 'x' %}", "unknown statement include", Some(1)),
        // Wherever it stands, on the way of the samples or not.
        ("{% if severity == 'low' %}\n{{ event_name | uper }}{% endif %}", "unknown filter `uper`", Some(2)),
        ("{% if event_name is defind %}x{% endif %}", "unknown test `defind`", Some(1)),
        ("{{ event_name.upper() }}", "string has no method named upper", Some(1)),
        ("{{ event_name | replace('a') }}", "missing argument", Some(1)),
        ("{% if error_code %}x{% else %}{{ event_name | upper(1) }}{% endif %}", "too many arguments", Some(1)),
        ("{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}", "the template takes too many steps", Some(1)),
    ];
    for (template, message, line) in cases {
        let error = check(template, &Results::new()).unwrap_err();
        assert_eq!((error.message.as_str(), error.line), (message, line), "{template}");
        assert!(error.help.is_some(), "{template}");
    }
    assert!(render("{{ event_name | nosuch }}", &variables()).is_err());
}

#[test]
fn an_unknown_name_is_drawn_with_the_nearest_known_one() {
    let path = Path::root("title");
    let drawn = |template: &str| diagnose(template, &path, &Results::new()).iter().map(Diagnostic::draw).collect::<Vec<_>>().join("\n");
    assert_eq!(
        drawn("{{ event_name | uper }}"),
        "error[TW1106]: unknown filter `uper` (in title)\n  |\n1 | {{ event_name | uper }}\n  |                 ^^^^\n  = help: did you mean `upper`?"
    );
    assert!(drawn("{{ event_name is stirng }}").ends_with("= help: did you mean `string`?"));
    assert_eq!(drawn("{{ detail.requestParameters.x | round }}{{ detail.responseElements.y.z | join(', ') }}"), "");
    let environment = environment();
    assert!(FILTERS.iter().all(|name| exists(&environment, "filter", name)));
    assert!(TESTS.iter().all(|name| exists(&environment, "test", name)));
    assert!(!exists(&environment, "filter", "tojson") && !exists(&environment, "test", "upper_case"));
}

#[test]
fn work_and_output_are_bounded() {
    let endless = "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}";
    assert_eq!(render(endless, &variables()), Err(RenderError("the template takes too many steps".to_owned())));
    let long = render("{% for a in range(9999) %}é{{ event_name }}{% endfor %}", &variables()).unwrap();
    assert!(long.len() <= MAX_OUTPUT + MARK.len() && long.ends_with(MARK), "{}", long.len());
    assert!(long.len() > MAX_OUTPUT - 4);
}
