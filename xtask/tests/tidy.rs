//! Rules that no compiler checks, as ordinary tests. They need nothing but cargo.

mod tidy {
    pub(crate) mod files;

    mod edges;
    mod figures;
    mod style;
    mod unsafe_code;
}
