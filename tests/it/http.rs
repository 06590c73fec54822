//! The API and `--server`: a real server on 127.0.0.1, a real repository and a real store.

mod campaign;
mod codes;
mod connections;
mod hostile;
mod openapi;
mod people;
mod place;
mod same;
mod seats;
mod tokens;
