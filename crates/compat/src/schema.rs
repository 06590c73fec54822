//! The schema as the migrations made it: tables, columns, types, keys, views, signatures.
//!
//! Applies operations and says what each met. Not here: what that amounts to.
