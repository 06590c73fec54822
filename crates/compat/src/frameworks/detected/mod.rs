//! Frameworks beyond the first ones: some whose files are plain SQL are read, the others are
//! recognised and not read yet: whatever changes under their roots needs review.

pub mod atlas;
mod drizzle;
mod hasura;
mod play;
pub mod popx;
mod programs;
mod sqitch;

use super::Framework;

/// The rows.
pub const ROWS: &[&Framework] = &[
    &drizzle::ROW,
    &hasura::ROW,
    &sqitch::ROW,
    &popx::ROW,
    &play::ROW,
    &atlas::ROW,
    &programs::TYPEORM,
    &programs::MIKRO_ORM,
    &programs::NODE_PG_MIGRATE,
    &programs::SEQUELIZE,
    &programs::KYSELY,
    &programs::KNEX,
    &programs::EF_CORE,
    &programs::ECTO,
    &programs::YII,
    &programs::PHINX,
    &programs::DBUP,
];
