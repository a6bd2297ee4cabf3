//! A token is a plain number under a name of its own.

use std::collections::{BTreeMap, HashMap};

use mio::Token;

#[test]
fn carries_any_number() {
    for value in [0, 1, usize::MAX] {
        let token = Token(value);
        assert_eq!(token.0, value);
        assert_eq!(usize::from(token), value);
        let into: usize = token.into();
        assert_eq!(into, value);
    }
}

#[test]
fn is_a_key_of_every_map() {
    let hashed: HashMap<Token, &str> = [(Token(1), "one"), (Token(2), "two")].into();
    assert_eq!(hashed[&Token(2)], "two");
    let ordered: BTreeMap<Token, &str> = [(Token(9), "nine"), (Token(3), "three")].into();
    assert_eq!(ordered.into_values().collect::<Vec<_>>(), ["three", "nine"]);
}

#[test]
fn copies_compares_and_prints() {
    let token = Token(7);
    let copy = token;
    assert_eq!(token, copy);
    assert_ne!(token, Token(8));
    assert!(Token(1) < Token(2));
    assert_eq!(format!("{token:?}"), "Token(7)");
}

#[test]
fn constants_are_patterns() {
    const SERVER: Token = Token(0);
    let is_server = |token| matches!(token, SERVER);
    assert!(is_server(Token(0)) && !is_server(Token(1)));
}
