//! Residues and points against the reference, at the extremes of their limbs.
