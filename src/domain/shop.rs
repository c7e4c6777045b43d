//! Shops: what a new one is called by its customers.

use crate::domain::ids::ShopId;

/// A name in letters, digits and dashes, with the random end of the shop's id: unique on the platform.
pub fn handle(name: &str, shop: ShopId) -> String {
    let bare: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
    let id = shop.0.simple().to_string();
    let end: String = id.chars().skip(id.len().saturating_sub(8)).collect();
    bare.split('-').filter(|word| !word.is_empty()).chain([end.as_str()]).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_is_plain_and_never_empty() {
        let id: ShopId = "0199f2c8-0000-7000-8000-0000deadbeef".parse().unwrap();
        for (name, expected) in
            [("Lantern & Loom", "lantern-loom-deadbeef"), ("灯", "deadbeef"), ("-- a --", "a-deadbeef")]
        {
            assert_eq!(handle(name, id), expected, "{name}");
        }
    }
}
