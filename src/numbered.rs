//! Enums whose members have stable numbers and names: errors, findings, disclosures, links.

/// Defines such an enum: a line for each member, with its number, its name and its text.
macro_rules! numbered_enum {
    (
        $(#[$about:meta])*
        $enum:ident;
        $(#[$about_text:meta])*
        $vis:vis text;
        $($(#[$doc:meta])* $variant:ident = $code:literal, $name:literal, $text:literal;)*
    ) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        #[repr(u16)]
        pub enum $enum { $($(#[$doc])* $variant = $code,)* }

        impl $enum {
            /// Every kind, in ascending order of numbers.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable name, lower case with dashes, as in test vectors and JSON.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            $(#[$about_text])*
            #[must_use]
            $vis const fn text(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }
    };
}

pub(crate) use numbered_enum;
