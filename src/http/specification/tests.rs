//! The specification: every route of the API and no page, and nothing in it that generators refuse.

use super::super::{PUBLIC, pages, routes, specification};
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[test]
fn the_specification_has_every_route_that_is_no_page_and_no_page() {
    let written = operations().into_iter().map(|operation| operation.name);
    let api = routes().into_iter().filter(|route| !route.access.is_page());
    let served = api.map(|route| format!("{} {}", route.method, route.path));
    assert_eq!(written.collect::<BTreeSet<_>>(), served.collect::<BTreeSet<_>>());
    assert!(pages().len() > 20);
}

#[test]
fn operation_ids_are_unique() {
    let operations = operations();
    let ids: BTreeSet<_> = operations.iter().map(|it| it.spec["operationId"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), operations.len());
}

#[test]
fn every_reference_of_the_specification_resolves() {
    let spec = serde_json::to_value(specification()).unwrap();
    let mut references = BTreeSet::new();
    collect_references(&spec, &mut references);
    assert!(references.len() > 50, "{references:?}");
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(spec.pointer(pointer).is_some(), "{reference} does not resolve");
    }
}

#[test]
fn every_operation_describes_a_success_and_declares_its_path_parameters() {
    for Operation { name, spec } in operations() {
        let responses = spec["responses"].as_object().unwrap();
        let mut successes = responses.iter().filter(|(status, _)| status.starts_with('2'));
        assert!(successes.any(|(_, it)| it["description"].as_str().is_some_and(|text| !text.is_empty())), "{name}");
        let in_path = |it: &&Value| it["in"] == "path" && it["required"] == true;
        let parameters = spec["parameters"].as_array().into_iter().flatten().filter(in_path);
        let declared: BTreeSet<_> = parameters.map(|it| it["name"].as_str().unwrap()).collect();
        let named = name.split('{').skip(1).filter_map(|part| part.split('}').next());
        assert_eq!(declared, named.collect(), "{name}");
    }
}

#[test]
fn no_property_defaults_to_null() {
    let spec = serde_json::to_value(specification()).unwrap();
    for (name, schema) in spec["components"]["schemas"].as_object().unwrap() {
        for (property, schema) in schema["properties"].as_object().into_iter().flatten() {
            assert_ne!(schema.get("default"), Some(&Value::Null), "{name}.{property}");
        }
    }
}

#[test]
fn every_operation_says_whether_it_needs_a_key() {
    let spec = serde_json::to_value(specification()).unwrap();
    for route in routes().into_iter().filter(|route| !route.access.is_page()) {
        let operation = &spec["paths"][&route.path][route.method.as_str().to_lowercase()];
        let expected = if route.access == PUBLIC { json!([]) } else { json!([{"api_key": []}]) };
        assert_eq!(operation["security"], expected, "{} {}", route.method, route.path);
        let refusal = operation["responses"].get("401").is_some();
        assert_eq!(refusal, route.access != PUBLIC, "{} {}", route.method, route.path);
    }
}

/// One operation of the specification, named as in `GET /v1/orders`.
struct Operation {
    name: String,
    spec: Value,
}

fn operations() -> Vec<Operation> {
    let spec = serde_json::to_value(specification()).unwrap();
    let paths = spec["paths"].as_object().unwrap().iter();
    let named = |path: &str, method: &str| format!("{} {path}", method.to_uppercase());
    paths
        .flat_map(|(path, item)| {
            let operations = item.as_object().unwrap().iter();
            operations.map(move |(method, spec)| Operation { name: named(path, method), spec: spec.clone() })
        })
        .collect()
}

fn collect_references(value: &Value, references: &mut BTreeSet<String>) {
    if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
        references.insert(reference.to_owned());
    }
    for item in value.as_array().into_iter().flatten() {
        collect_references(item, references);
    }
    for (_, member) in value.as_object().into_iter().flatten() {
        collect_references(member, references);
    }
}
