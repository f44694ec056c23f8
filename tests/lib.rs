//! Nothing but tests: see `README.md` beside this file.
