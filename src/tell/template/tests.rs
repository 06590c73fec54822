use super::super::events::row_of;
use super::*;

fn render(source: &str, kind: Kind, notice: &Notice) -> Result<String, TemplateError> {
    Template::new(source, kind)?.render(notice)
}

fn promoted() -> Notice {
    example(row_of("promoted").unwrap())
}

fn said(source: &str, is_json: bool) -> String {
    check(source, is_json).unwrap_err().to_string()
}

#[test]
fn values_are_put_in_and_json_is_written_with_tojson() {
    let notice = promoted();
    let of = |source| render(source, Kind::Text, &notice).unwrap();
    assert_eq!(of("{{ flow }} to {{ environment|upper }}: {{ severity }}"), "checkout to PRODUCTION: info");
    assert_eq!(of("{{ old | tojson }} {{ at_ms // 1000 }}"), format!("\"{}\" 1795255200", "11".repeat(20)));
    assert_eq!(of("{{ new[:9] }}"), "222222222");
    assert_eq!(of("{% if severity == 'problem' %}!{% else %}-{% endif %}"), "-");
    assert_eq!(of("{{ ('a b/' ~ flow) | urlencode }}"), "a%20b%2Fcheckout");
    assert_eq!(of("{{ [flow, branch] | tojson }}"), r#"["checkout","master"]"#);
    assert_eq!(
        check(r#"{"text": {{ text | tojson }}, "url": {{ url | tojson }}, "new": {{ new | tojson }}}"#, true),
        Ok(())
    );
}

/// All that people and git put into a notice comes out inert, and comes back whole.
#[test]
fn hostile_texts_are_inert_in_json() {
    let template = Template::new("[{{ text|tojson }},{{ branch|tojson }},{{ flow|tojson }}]", Kind::Json).unwrap();
    for row in &ROWS {
        let notice = hostile_example(row);
        let body = template.render(&notice).unwrap();
        assert!(body.chars().all(|c| !c.is_control() && !"\u{202e}\u{2028}<>&'".contains(c)), "{body}");
        let back: Vec<String> = serde_json::from_str(&body).unwrap();
        assert_eq!(back, [notice.text.as_str(), notice.branch.as_str(), notice.flow.as_str()]);
        assert!(back[0].contains("{{ text }}"), "what stands in a value is not rendered: {}", back[0]);
    }
}

#[test]
fn a_misspelt_field_is_named_with_its_line_also_where_no_example_comes() {
    for source in [
        "{\n\"flow\": {{ flow | tojson }},\n\"env\": {{ env | tojson }}}",
        "env flow\n{# env #}\n{% if text == 'never' %}{{ env }}{% endif %}",
        "{{ flow }}\n{{ flow }}\n{% for x in env %}{% endfor %}",
        "{% set envy = flow %}\n{{ envy }}\n{{ flow ~ env }}",
        "\n\n{{ env is none }}",
    ] {
        let error = check(source, false).unwrap_err();
        assert_eq!(error, TemplateError::UnknownField { line: 3, name: "env".to_owned() }, "{source}");
        assert_eq!(error.line(), Some(3));
        assert!(error.to_string().contains("line 3: there is no field `env`; there are `schema_version`, `id`"));
    }
    for source in
        ["a\n{{ flow.name | upper }}", "\n{{ flow.name | tojson }}", "\n{% if flow.name is none %}{% endif %}"]
    {
        let wanted = TemplateError::UnknownField { line: 2, name: "flow.name".to_owned() };
        assert_eq!(check(source, false), Err(wanted), "{source}");
    }
    let said = said("{% set x = flow %}\n{{ x.name | tojson }}", false);
    assert!(said.starts_with("for `promoted`, line 2: undefined value"), "{said}");
    assert!(check("{{ [flow][1] }}", false).is_err() && check("{{ [flow][1] | tojson }}", false).is_err());
}

#[test]
fn what_is_no_template_is_told_with_its_line() {
    for (source, line) in
        [("a\n{{ flow", 2), ("{% if flow %}", 1), ("{{ flow | tojsn }}", 1), ("\n{{ 1 +* 2 }}", 2)]
    {
        let error = check(source, false).unwrap_err();
        assert_eq!(error.line(), Some(line), "{source}: {error}");
    }
    assert!(said("{{ flow | tojsn }}", false).contains("tojsn"));
    for source in [
        "{% include 'x' %}",
        "{% import 'x' as y %}",
        "{% macro m() %}{% endmacro %}",
        "{{ range(9) }}",
        "{{ debug() }}",
        "{{ flow | safe }}",
        "{{ flow | pprint }}",
    ] {
        assert!(check(source, false).is_err(), "{source}");
    }
}

#[test]
fn a_forgotten_tojson_is_found_by_the_quotes_in_the_examples() {
    let notice = promoted();
    for field in ["flow", "environment", "branch", "repository", "text"] {
        let source = format!("{{\"x\": \"{{{{ {field} }}}}\"}}");
        assert!(render(&source, Kind::Json, &notice).is_ok(), "it looks well until a quote comes");
        let error = check(&source, true).unwrap_err();
        assert!(matches!(&error, TemplateError::Unquoted { event, .. } if event == "promoted"), "{error}");
        assert!(error.to_string().contains("`{{ text | tojson }}`"), "{error}");
        assert_eq!(check(&source, false), Ok(()), "as text it will do");
    }
    // Neither is one way of quoting enough.
    let half = r#"{"x": "{{ text | replace('"', '') }}"}"#;
    assert!(matches!(check(half, true), Err(TemplateError::Unquoted { .. })));
    // What no person and no git puts there may stand in quotes.
    assert_eq!(check(r#"{"x": "{{ id }} {{ event }} {{ severity }} {{ at }}", "y": {{ at_ms }}}"#, true), Ok(()));
}

#[test]
fn what_is_no_json_at_all_is_told_as_that() {
    for source in [
        "",
        "{",
        "{{ flow }}",
        r#"{"a": 1,}"#,
        r#"{"a": {{ text | tojson }}} x"#,
        r#"{"a": "{{ text | tojson }}"}"#,
    ] {
        let error = check(source, true).unwrap_err();
        assert!(matches!(&error, TemplateError::NotJson { event, .. } if event == "promoted"), "{source}: {error}");
        assert!(error.to_string().contains("column"), "{error}");
    }
}

/// A value that an event has not is `null` for `tojson`, and an error where it would be printed.
#[test]
fn what_an_event_has_not_is_never_printed_as_none() {
    let error = check(r#"{"new": "{{ new }}"}"#, true).unwrap_err();
    assert!(matches!(&error, TemplateError::Render { event, line: 1, .. } if event == "behind"), "{error}");
    assert!(error.to_string().contains("there is no such value for this event"), "{error}");
    assert_eq!(check(r#"{"new": {{ new | tojson }}}"#, true), Ok(()));
    assert_eq!(check(r#"{"new": "{% if new %}{{ new }}{% endif %}"}"#, true), Ok(()));
    assert_eq!(check(r#"{"new": "{{ new | default('', true) }}"}"#, true), Ok(()));
    let of_some = Template::new(r#"{"new": "{{ new }}"}"#, Kind::Json).unwrap();
    assert_eq!(of_some.check(row_of("promoted")), Ok(()), "an event that it is not told of does not count");
}

#[test]
fn sizes_and_steps_have_limits() {
    assert_eq!(check(&" ".repeat(TEMPLATE_MAX), false), Ok(()));
    assert_eq!(check(&" ".repeat(TEMPLATE_MAX + 1), false), Err(TemplateError::TooLarge(TEMPLATE_MAX + 1)));
    let event = || "promoted".to_owned();
    let over = TemplateError::OutputTooLarge { event: event(), most: OUTPUT_MAX };
    assert_eq!(check(&format!("{{{{ 'x' * {OUTPUT_MAX} }}}}"), false), Ok(()));
    assert_eq!(check(&format!("{{{{ 'x' * {} }}}}", OUTPUT_MAX + 1), false), Err(over.clone()));
    let loops =
        "{% set l = [1,2,3,4,5,6,7,8,9,0] %}{% for a in l %}{% for b in l %}{% for c in l %}{% for d in l %}";
    let ends = "{% endfor %}{% endfor %}{% endfor %}{% endfor %}";
    assert_eq!(check(&format!("{loops}{{{{ 'x' * 1000 }}}}{ends}"), false), Err(over));
    assert_eq!(
        check(&format!("{loops}{ends}{loops}{ends}"), false),
        Err(TemplateError::TooLong { event: event() })
    );
}

#[test]
fn in_a_url_everything_that_is_put_in_is_encoded() {
    let notice = Notice { branch: "a/b?c=d#é \"..".into(), ..promoted() };
    let of = |source: &str| render(source, Kind::Url, &notice);
    assert_eq!(
        of("https://h.example/r/{{ new }}/d/").unwrap(),
        format!("https://h.example/r/{}/d/", "2".repeat(40))
    );
    assert_eq!(of("http://h:80/{{ branch }}?x=%20").unwrap(), "http://h:80/a%2Fb%3Fc%3Dd%23%C3%A9%20%22..?x=%20");
    assert_eq!(
        of("https://h/{{ (branch | urlencode) }}").unwrap().matches("%25").count(),
        8,
        "it is by itself already"
    );
    assert_eq!(of("https://h/plain").unwrap(), "https://h/plain");
    let template = Template::new("https://h/{{ flow }}?b={{ branch }}&t={{ text }}", Kind::Url).unwrap();
    assert_eq!(template.check(&ROWS), Ok(()));
}

#[test]
fn neither_host_nor_path_of_a_url_is_the_events_to_choose() {
    for source in [
        "{{ url }}",
        "https://{{ flow }}/x",
        "https://a.{{ flow }}",
        "https://a{% if flow %}b{% endif %}/x",
        "https://{# x #}a/",
        "https:///x",
        "ftp://h/x",
        "/x",
        "",
    ] {
        assert_eq!(Template::new(source, Kind::Url).err(), Some(TemplateError::Host), "{source}");
    }
    for (source, branch) in [
        ("https://h/a/{{ branch }}/b", ".."),
        ("https://h/a/{{ branch }}{{ branch }}/b", "."),
        ("https://h/a/%2e{{ branch }}/b", "."),
        ("https://h/a/\n{{ branch }}", "x"),
        ("https://h/a b", "x"),
    ] {
        let notice = Notice { branch: branch.into(), ..promoted() };
        let error = render(source, Kind::Url, &notice).unwrap_err();
        assert!(matches!(error, TemplateError::NotUrl { .. }), "{source}: {error}");
    }
    let dots = Notice { branch: "..".into(), ..promoted() };
    assert!(render("https://h/a?b={{ branch }}", Kind::Url, &dots).is_ok());
    let long = Notice { text: "x".repeat(URL_MAX), ..promoted() };
    let over = TemplateError::OutputTooLarge { event: "promoted".to_owned(), most: URL_MAX };
    assert_eq!(render("https://h/{{ text }}", Kind::Url, &long), Err(over));
    let error = Template::new("https://h/{{ new }}", Kind::Url).unwrap().check(&ROWS).unwrap_err();
    assert!(error.to_string().starts_with("for `behind`, line 1: "), "{error}");
}

#[test]
fn the_fixed_part_of_a_text_can_be_looked_at() {
    for (text, bare) in [
        ("https://h/plain", "https://h/plain"),
        ("https://h/{{ new }}/{{ old }}?", "https://h/x/x?"),
        ("a{% if x %}{{ y }}{% endif %}{# {{ z }} #}b", "axb"),
        ("a{{ open", "ax"),
        ("{{", "x"),
        ("}} a", "}} a"),
        ("é{{ x }}é", "éxé"),
    ] {
        assert_eq!(without_expressions(text), bare);
    }
}

#[test]
fn what_a_template_makes_itself_is_no_misspelt_field() {
    let source =
        "{% for x in [flow, branch] %}{{ loop.index }}{{ x }}{% if not loop.last %},{% endif %}{% endfor %}";
    assert_eq!(render(source, Kind::Text, &promoted()).unwrap(), "1checkout,2master");
    assert_eq!(check("{% set a %}{{ flow }}{% endset %}{{ a }}{{ true }}{{ [1, 2] | join('-') }}", false), Ok(()));
    fn is_shared<T: Send + Sync>() {}
    is_shared::<Template>();
}
