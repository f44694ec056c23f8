//! The deployed tables are the tested ones: the template's tables are the ones of this crate.

use std::collections::{BTreeMap, BTreeSet};

use table::schema::{TABLES, Table};
use yaml_rust2::{Yaml, YamlLoader};

const TEMPLATE: &str = include_str!("../../../../template.yaml");

fn tables() -> BTreeMap<String, Yaml> {
    let template = YamlLoader::load_from_str(TEMPLATE).unwrap().remove(0);
    let resources = template["Resources"].as_hash().unwrap();
    let tables = resources.values().filter(|resource| {
        resource["Type"].as_str() == Some("AWS::DynamoDB::Table")
            || resource["Type"].as_str() == Some("AWS::Serverless::SimpleTable")
    });
    tables
        .map(|table| {
            let properties = table["Properties"].clone();
            let name = properties["TableName"].as_str().unwrap();
            let name = name.strip_prefix("${AWS::StackName}-").unwrap();
            (name.to_owned(), properties)
        })
        .collect()
}

/// Partition key and sort key.
fn keys(schema: &Yaml) -> (String, Option<String>) {
    let of = |kind: &str| {
        let key = schema.as_vec().unwrap().iter().find(|key| key["KeyType"].as_str() == Some(kind));
        key.map(|key| key["AttributeName"].as_str().unwrap().to_owned())
    };
    assert!(schema.as_vec().unwrap().len() <= 2);
    (of("HASH").unwrap(), of("RANGE"))
}

fn owned(partition: &str, sort: Option<&str>) -> (String, Option<String>) {
    (partition.to_owned(), sort.map(str::to_owned))
}

fn check_indexes(table: &Table, properties: &Yaml) {
    let empty = Vec::new();
    let indexes = properties["GlobalSecondaryIndexes"].as_vec().unwrap_or(&empty);
    let expected = table.indexes;
    assert_eq!(indexes.len(), expected.len(), "{}", table.name);
    for (index, expected) in indexes.iter().zip(expected) {
        assert_eq!(index["IndexName"].as_str(), Some(expected.name));
        assert_eq!(keys(&index["KeySchema"]), owned(expected.partition, expected.sort));
        let projection = if expected.whole_rows { "ALL" } else { "KEYS_ONLY" };
        assert_eq!(index["Projection"]["ProjectionType"].as_str(), Some(projection));
    }
    assert!(properties["LocalSecondaryIndexes"].is_badvalue(), "{}", table.name);
}

#[test]
fn the_template_has_these_tables_and_no_others() {
    let names: BTreeSet<_> = tables().into_keys().collect();
    let expected: BTreeSet<_> = TABLES.iter().map(|table| table.name.to_owned()).collect();
    assert_eq!(names, expected);
}

#[test]
fn their_keys_and_indexes_are_the_same() {
    let tables = tables();
    for table in TABLES {
        let properties = &tables[table.name];
        assert_eq!(keys(&properties["KeySchema"]), owned(table.partition, table.sort));
        check_indexes(table, properties);
        let stream = properties["StreamSpecification"]["StreamViewType"].as_str();
        assert_eq!(stream, table.has_stream.then_some("NEW_IMAGE"), "{}", table.name);
        // DynamoDB refuses a table that declares more or fewer attributes than its keys use.
        let mut used: BTreeSet<&str> =
            [Some(table.partition), table.sort].into_iter().flatten().collect();
        used.extend(table.indexes.iter().flat_map(|i| [Some(i.partition), i.sort]).flatten());
        let declared = properties["AttributeDefinitions"].as_vec().unwrap();
        let names: BTreeSet<_> =
            declared.iter().map(|a| a["AttributeName"].as_str().unwrap()).collect();
        assert_eq!(names, used, "{}", table.name);
        assert!(declared.iter().all(|a| a["AttributeType"].as_str() == Some("S")));
    }
}

#[test]
fn what_they_hold_is_protected() {
    for (name, properties) in tables() {
        assert_eq!(properties["BillingMode"].as_str(), Some("PAY_PER_REQUEST"), "{name}");
        let recovery = &properties["PointInTimeRecoverySpecification"];
        assert_eq!(recovery["PointInTimeRecoveryEnabled"].as_bool(), Some(true), "{name}");
        // Encrypted all the same, with a key that DynamoDB owns and does not charge for.
        assert_eq!(properties["SSESpecification"]["SSEEnabled"].as_bool(), Some(false), "{name}");
        assert!(!properties["DeletionProtectionEnabled"].is_badvalue(), "{name}");
    }
}
