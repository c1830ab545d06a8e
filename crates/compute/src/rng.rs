//! A seeded, counter-based generator.
