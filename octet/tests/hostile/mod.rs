//! What the fuzz targets look for holds for their committed corpus, and for each of its files cut anywhere.

#[path = "../../fuzz/src/properties.rs"]
mod properties;

fn corpus(name: &str, property: fn(&str)) {
    let folder = format!("{}/fuzz/corpus/{name}", env!("CARGO_MANIFEST_DIR"));
    let mut seeds = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        (0..=text.len()).filter_map(|cut| text.get(..cut)).for_each(property);
        seeds += 1;
    }
    assert!(seeds > 4, "{name} has seeds");
}

#[test]
fn any_question_is_read_and_judged() {
    corpus("region", properties::region);
}

#[test]
fn no_token_is_accepted_that_nobody_signed() {
    corpus("proof", properties::proof);
}

#[test]
fn what_believed_keys_signed_is_accepted_only_by_the_rules_of_a_proof() {
    corpus("signed", properties::signed);
}
