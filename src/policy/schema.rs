//! The tables of [`super::words`] as JSON Schema (draft 2020-12), for editors: completion, explanations, and a mark under
//! most mistakes while one types. What a schema cannot say (names that must exist, dates that have passed, what a test
//! shows) only `policy check` says; what the schema refuses, the reader refuses too.

use super::words::{Key, PART, TOP, Takes, Words};
use serde_json::{Map, Value, json};

/// Where the file that is printed says it belongs.
const ID: &str = "https://cpr-milter.example/policy-1.schema.json";

/// The schema of a policy, or of a file that one includes.
pub fn schema() -> Value {
    let whole = map(TOP);
    let part = map(PART);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": ID,
        "title": "A policy of cpr-milter, or a file that one includes",
        // A file with a name is a policy, whatever else it lacks: an editor then marks one mistake, not every other key.
        "if": {"type": "object", "anyOf": [{"required": ["name"]}, {"required": ["owner"]}, {"required": ["default"]}]},
        "then": whole,
        "else": part,
    })
}

fn map(keys: &[Key]) -> Value {
    let mut properties = Map::new();
    for key in keys {
        let mut value = takes(&key.takes);
        if let Some(object) = value.as_object_mut() {
            object.insert("description".to_owned(), json!(key.says));
        }
        properties.insert(key.name.to_owned(), value);
    }
    let required: Vec<&str> = keys.iter().filter(|k| k.required).map(|k| k.name).collect();
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

/// Any scalar: a text that looks like a number stays text to the reader.
fn line() -> Value {
    json!({"type": ["string", "number", "boolean"], "pattern": r"\S"})
}

fn one_or_some(one: &Value) -> Value {
    json!({"anyOf": [one, {"type": "array", "items": one, "minItems": 1}]})
}

fn one_of(words: Words) -> Value {
    let each = words
        .iter()
        .map(|(word, says)| json!({"const": word, "description": says}));
    json!({"oneOf": each.collect::<Vec<_>>()})
}

fn takes(takes: &Takes) -> Value {
    match takes {
        Takes::Line | Takes::Text => line(),
        Takes::Address => json!({"type": "string", "pattern": "^[^@\\s]+@[^@\\s]+$"}),
        Takes::Date => json!({"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}),
        Takes::Number(least, most) => json!({"type": "integer", "minimum": least, "maximum": most}),
        Takes::OneOf(words) => one_of(words),
        Takes::Known(words) => json!({"enum": words()}),
        Takes::SomeOf(words) => one_or_some(&one_of(words)),
        Takes::OneOfOr(words, _) => {
            json!({"anyOf": [one_of(words), {"type": "string", "pattern": "^[\\p{L}0-9_-]+$"}]})
        }
        // An empty list of exceptions, or of people to be told, says that there are none.
        Takes::Names(_) | Takes::Lines(_) => {
            let mut value = one_or_some(&line());
            if let Some(list) = value.pointer_mut("/anyOf/1").and_then(Value::as_object_mut) {
                list.remove("minItems");
            }
            value
        }
        Takes::Form(example, pattern) => {
            json!({"type": ["string", "integer"], "pattern": pattern, "examples": [example]})
        }
        Takes::Spoken => json!({"anyOf": [
            line(),
            {"type": "object", "properties": {"da": line(), "en": line()}, "additionalProperties": false}
        ]}),
        Takes::Map(keys) => map(keys),
        Takes::Named(keys) => json!({"type": "object", "additionalProperties": map(keys)}),
        Takes::List(keys) => json!({"type": "array", "items": map(keys)}),
        Takes::Each(words) => {
            let one = words.map_or_else(line, one_of);
            json!({"anyOf": [one, {"type": "object", "additionalProperties": one}]})
        }
        Takes::Facts => json!({"type": "object", "additionalProperties": one_or_some(&line())}),
    }
}
