//! The rendezvous info of a voucher, and directives for a new one.

use core::ffi::c_char;

use super::guard::{plain, value};
use super::handle::{Handle, Refusal, at, index, object};
use super::name::OV_IP_BYTES;
use super::names::variable;
use super::slice::{ov_slice, ov_str};
use super::status::ov_status;
use super::voucher::ov_voucher;
use ownership_voucher::create::{RvDirective, RvProtocol};
use ownership_voucher::voucher::{RvInstruction, RvValue};

/// The instruction has no value: a flag.
pub const OV_RV_NONE: i32 = 0;
/// The value is an IPv4 address: the first four bytes of `address`.
pub const OV_RV_IPV4: i32 = 1;
/// The value is an IPv6 address.
pub const OV_RV_IPV6: i32 = 2;
/// The value is a number.
pub const OV_RV_NUMBER: i32 = 3;
/// The value is a text.
pub const OV_RV_TEXT: i32 = 4;
/// The value is a Boolean: `number` is 0 or 1.
pub const OV_RV_BOOL: i32 = 5;
/// The value is something else: see `raw`.
pub const OV_RV_RAW: i32 = 6;

/// One instruction of a rendezvous directive.
#[repr(C)]
pub struct ov_rv_instruction {
    /// The number of its directive, counted from 0.
    pub directive: u64,
    /// The code of the variable, 0 to 15; -1 for a code out of range.
    pub variable: i64,
    /// Which field holds the value: an `OV_RV_` number.
    pub kind: i32,
    /// A number.
    pub number: u64,
    /// An address.
    pub address: [u8; OV_IP_BYTES],
    /// A text.
    pub text: ov_str,
    /// The encoded value, of any type; empty if there is none.
    pub raw: ov_slice,
    /// Whether the value is a Wi-Fi password, or cannot be decoded and may be one. Such a value
    /// must not be logged or displayed.
    pub secret: bool,
}

fn decoded(found: &RvInstruction<'_>) -> ov_rv_instruction {
    let mut instruction = ov_rv_instruction {
        directive: found.directive() as u64,
        variable: i64::try_from(found.code()).unwrap_or(-1),
        kind: OV_RV_NONE,
        number: 0,
        address: [0; OV_IP_BYTES],
        text: ov_str::of(""),
        raw: ov_slice::of(found.raw().unwrap_or_default()),
        secret: found.may_be_secret(),
    };
    instruction.kind = match found.value() {
        RvValue::None => OV_RV_NONE,
        RvValue::Ipv4([a, b, c, d]) => {
            instruction.address = [a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
            OV_RV_IPV4
        }
        RvValue::Ipv6(address) => {
            instruction.address = address;
            OV_RV_IPV6
        }
        RvValue::Number(number) => {
            instruction.number = number;
            OV_RV_NUMBER
        }
        RvValue::Text(text) => {
            instruction.text = ov_str::of(text);
            OV_RV_TEXT
        }
        RvValue::Bool(value) => {
            instruction.number = u64::from(value);
            OV_RV_BOOL
        }
        _ => OV_RV_RAW,
    };
    instruction
}

/// The number of rendezvous instructions in all directives.
#[unsafe(no_mangle)]
pub extern "C" fn ov_voucher_rendezvous_count(voucher: *const ov_voucher) -> u64 {
    value(0, |caller| {
        let voucher = caller.get(voucher)?;
        Ok(voucher.rendezvous().instructions().count() as u64)
    })
}

/// The rendezvous instruction with this number, counted from 0.
#[unsafe(no_mangle)]
pub extern "C" fn ov_voucher_rendezvous(
    voucher: *const ov_voucher,
    number: u64,
    instruction: *mut ov_rv_instruction,
) -> ov_status {
    plain(|caller| {
        let voucher = caller.get(voucher)?;
        let out = caller.out(instruction)?;
        let info = voucher.rendezvous();
        out.write(decoded(&at(info.instructions().nth(index(number)?))?));
        Ok(())
    })
}

/// REST: any protocol that the device supports.
pub const OV_RV_PROTOCOL_REST: i32 = 0;
/// HTTP.
pub const OV_RV_PROTOCOL_HTTP: i32 = 1;
/// HTTPS.
pub const OV_RV_PROTOCOL_HTTPS: i32 = 2;
/// TCP.
pub const OV_RV_PROTOCOL_TCP: i32 = 3;
/// TLS.
pub const OV_RV_PROTOCOL_TLS: i32 = 4;
/// CoAP over TCP.
pub const OV_RV_PROTOCOL_COAP_TCP: i32 = 5;
/// CoAP over UDP.
pub const OV_RV_PROTOCOL_COAP_UDP: i32 = 6;

const PROTOCOLS: [(i32, RvProtocol); 7] = [
    (OV_RV_PROTOCOL_REST, RvProtocol::Rest),
    (OV_RV_PROTOCOL_HTTP, RvProtocol::Http),
    (OV_RV_PROTOCOL_HTTPS, RvProtocol::Https),
    (OV_RV_PROTOCOL_TCP, RvProtocol::Tcp),
    (OV_RV_PROTOCOL_TLS, RvProtocol::Tls),
    (OV_RV_PROTOCOL_COAP_TCP, RvProtocol::CoapTcp),
    (OV_RV_PROTOCOL_COAP_UDP, RvProtocol::CoapUdp),
];

/// A directive for a new voucher: an address where device and owner meet. Each call adds one
/// instruction.
pub struct ov_rv_directive {
    _private: [u8; 0],
}

object!(ov_rv_directive: RvDirective, b"ov rvdir");

/// Creates an empty directive.
#[unsafe(no_mangle)]
pub extern "C" fn ov_rv_directive_new(directive: *mut *mut ov_rv_directive) -> ov_status {
    plain(|caller| {
        let out = caller.out(directive)?;
        out.write(Handle::give(RvDirective::new()));
        Ok(())
    })
}

/// Frees a directive and sets the variable to NULL. Vouchers that were given it keep a copy.
#[unsafe(no_mangle)]
pub extern "C" fn ov_rv_directive_free(directive: *mut *mut ov_rv_directive) -> ov_status {
    plain(|caller| caller.free(directive))
}

/// The host name of the rendezvous server.
#[unsafe(no_mangle)]
pub extern "C" fn ov_rv_directive_dns(
    directive: *mut ov_rv_directive,
    name: *const c_char,
    len: usize,
) -> ov_status {
    plain(|caller| {
        let name = caller.text(name, len)?;
        let directive = caller.get_mut(directive)?;
        *directive = core::mem::take(directive).dns(name);
        Ok(())
    })
}

/// The IP address of the rendezvous server, 4 or 16 bytes.
#[unsafe(no_mangle)]
pub extern "C" fn ov_rv_directive_ip(
    directive: *mut ov_rv_directive,
    address: *const u8,
    len: usize,
) -> ov_status {
    plain(|caller| {
        let address = caller.array(address, len)?;
        let directive = caller.get_mut(directive)?;
        let (v4, v6) = (<[u8; 4]>::try_from(address), <[u8; 16]>::try_from(address));
        *directive = match (v4, v6) {
            (Ok(v4), _) => directive.clone().ip(v4),
            (_, Ok(v6)) => directive.clone().ip(v6),
            _ => return Err(Refusal::argument("an IP address of neither 4 nor 16 bytes")),
        };
        Ok(())
    })
}

/// The port that devices use.
pub const OV_RV_SET_DEVICE_PORT: i32 = 1;
/// The port that owners use.
pub const OV_RV_SET_OWNER_PORT: i32 = 2;
/// The transport: an `OV_RV_PROTOCOL_` number.
pub const OV_RV_SET_PROTOCOL: i32 = 3;
/// Seconds to wait before the next directive.
pub const OV_RV_SET_DELAY: i32 = 4;
/// A flag by the code of its variable: 0 for devices only, 1 for owners only, 14 to bypass.
pub const OV_RV_SET_FLAG: i32 = 5;

/// Adds an instruction to a directive: an `OV_RV_SET_` number and its value.
#[unsafe(no_mangle)]
pub extern "C" fn ov_rv_directive_set(
    directive: *mut ov_rv_directive,
    which: i32,
    value: u32,
) -> ov_status {
    plain(|caller| {
        let directive = caller.get_mut(directive)?;
        let port = u16::try_from(value);
        let port = port.map_err(|_| Refusal::argument("a port past 65535"));
        let code = i32::try_from(value).unwrap_or(-1);
        let new = directive.clone();
        *directive = match which {
            OV_RV_SET_DEVICE_PORT => new.device_port(port?),
            OV_RV_SET_OWNER_PORT => new.owner_port(port?),
            OV_RV_SET_DELAY => new.delay(value),
            OV_RV_SET_PROTOCOL => {
                let found = PROTOCOLS.iter().find(|(known, _)| *known == code);
                let unknown = Refusal::argument("an unknown rendezvous protocol");
                new.protocol(found.ok_or(unknown)?.1)
            }
            OV_RV_SET_FLAG => {
                let variable = variable(code)?;
                if !variable.is_flag() {
                    return Err(Refusal::argument("the rendezvous variable is no flag"));
                }
                new.flag(variable)
            }
            _ => return Err(Refusal::argument("an unknown rendezvous instruction")),
        };
        Ok(())
    })
}
