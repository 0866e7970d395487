//! Empty: its manifest says what it is for.
