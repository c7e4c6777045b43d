//! The table of routes: nothing twice, and what is open to anybody is named here.

use super::*;

#[test]
fn no_door_stands_twice() {
    let mut doors: Vec<_> = routes().iter().map(|it| format!("{} {}", it.method, it.path)).collect();
    doors.sort();
    let count = doors.len();
    doors.dedup();
    assert_eq!(doors.len(), count);
}

#[test]
fn what_is_open_to_anybody_is_named_here() {
    let of = |access| routes().into_iter().filter(move |it| it.access == access).map(|it| it.path);
    let open = [
        "/v1/import-templates/{kind}.csv",
        "/v1/presets",
        "/.well-known/jwks.json",
        "/track/{token}",
        "/v1/status/lookup",
        "/healthz",
        "/readyz",
        "/openapi.json",
    ];
    assert_eq!(of(PUBLIC).collect::<Vec<_>>(), open);
    let pages = ["/", "/sign-in", "/sign-in", "/invitations/{token}", "/invitations/{token}"];
    assert_eq!(of(OPEN_PAGE).collect::<Vec<_>>(), pages);
}

#[test]
fn what_is_answered_once_is_a_create_of_a_seller_and_no_secret() {
    for route in routes().iter().filter(|it| it.manner.repeats != Repeats::CarriedOut) {
        let what = format!("{} {}", route.method, route.path);
        assert_eq!(route.method, Method::POST, "{what}");
        assert!(matches!(route.access, Access::Seller(_)), "{what}: a key is of a seller");
        for secret in ["tokens", "api-keys", "users", "webhook-endpoints", "rotate-secret", "sources"] {
            assert!(!route.path.contains(secret), "{what}: a secret is shown once");
        }
    }
}
