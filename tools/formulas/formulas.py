#!/usr/bin/env python3
"""The formulas of the engines as identities, and the cases that they leave out.

    .ci/formulas        calls this

What `src/backend/ecdsa` and `src/backend/ed25519` compute is written down here once more, step by step, with
symbols in place of residues. sympy then decides whether it is the group law: in the ring of polynomials, and
where it has to hold on the curve alone, modulo the equation of the curve. Where a denominator can vanish the
formula is not complete; each such case is named below with the test of the library that meets it, and the test
has to exist. The recoding of scalars is tried for all small widths and proved by its recurrence for the others.

Ends with 1 at the first identity that does not hold.
"""

import pathlib
import re
import sys

import sympy
from sympy import symbols

ROOT = pathlib.Path(__file__).resolve().parents[2]
BACKEND = ROOT / "src/backend"
count = 0


def holds(name, expression, *equations):
    """Whether a rational expression is zero, modulo equations of curves."""
    global count
    numerator, _ = sympy.fraction(sympy.together(expression))
    numerator = sympy.expand(numerator)
    if equations and numerator != 0:
        # The largest monomial of each equation is a power of a variable of its own, and those are coprime: the
        # equations are a Gröbner basis as they stand, and the rest of the division is unique.
        variables = sorted(numerator.free_symbols | set().union(*(e.free_symbols for e in equations)), key=str)
        order = [v for v in variables if str(v).startswith("y")] + [v for v in variables if str(v)[0] != "y"]
        _, numerator = sympy.reduced(numerator, list(equations), *order, order="lex")
    if sympy.expand(numerator) != 0:
        sys.exit(f"does not hold: {name}: {numerator}")
    count += 1
    print(f"holds: {name}")


# --- Weierstrass: y² = x³ - 3x + b


def weierstrass_add(p, q):
    """The sum of two points with different x, by chord and tangent."""
    (x1, y1), (x2, y2) = p, q
    slope = (y2 - y1) / (x2 - x1)
    x3 = slope**2 - x1 - x2
    return x3, slope * (x1 - x3) - y1


def weierstrass_double(p):
    x, y = p
    slope = (3 * x**2 - 3) / (2 * y)
    x3 = slope**2 - 2 * x
    return x3, slope * (x - x3) - y


def on_weierstrass(p, b):
    return p[1] ** 2 - (p[0] ** 3 - 3 * p[0] + b)


def the_law():
    """Chord and tangent stay on the curve, so that what follows can lean on them."""
    x1, y1, x2, y2, b = symbols("x1 y1 x2 y2 b")
    first, second = on_weierstrass((x1, y1), b), on_weierstrass((x2, y2), b)
    holds("a sum is on the curve", on_weierstrass(weierstrass_add((x1, y1), (x2, y2)), b), first, second)
    holds("a double is on the curve", on_weierstrass(weierstrass_double((x1, y1)), b), first)
    # Two points with the same x are equal or opposite.
    same = second.subs(x2, x1)
    holds("equal x: equal or opposite y", (y1 - y2) * (y1 + y2), first - same)


def jacobian():
    """`group.rs`: doubling and mixed addition, which return the negative."""
    X, Y, Z, x2, y2 = symbols("X Y Z x2 y2")
    affine = X / Z**2, Y / Z**3

    # Jacobian::double_negated, with 2Y kept.
    twice_y = 2 * Y
    delta, gamma = Z**2, twice_y**2
    alpha = 3 * (X - delta) * (X + delta)
    beta = X * gamma
    z = twice_y * Z
    x = alpha**2 - 2 * beta
    y = alpha * (2 * (x - beta)) + gamma**2
    expected = weierstrass_double(affine)
    holds("doubling: x", x / z**2 - expected[0])
    holds("doubling: 2y", y / z**3 + 2 * expected[1])

    for name, sign in (("addition", 1), ("subtraction", -1)):
        # begin, then Jacobian::add_negated.
        zz = Z**2
        zzz = Z * zz
        u, s = x2 * zz, y2 * zzz
        h = u - X
        r = twice_y - sign * 2 * s
        i = 4 * h**2
        rr = r**2
        j, v = h * i, X * i
        z = 2 * (Z * h)
        x = rr - j - 2 * v
        y = 2 * (r * (v - x) + twice_y * j)
        expected = weierstrass_add(affine, (x2, sign * y2))
        holds(f"mixed {name}: x", x / z**2 - expected[0])
        holds(f"mixed {name}: 2y", y / z**3 + 2 * expected[1])
        # It fails where z is zero: infinity, or the same x. Then r says which of the two it is.
        holds(f"mixed {name}: h is the difference of x", h - (x2 - affine[0]) * Z**2)
        holds(f"mixed {name}: r is the difference of y", r - 2 * (affine[1] - sign * y2) * Z**3)


def affine_sums():
    """`affine.rs` and `tables.rs`: additions that wait for a shared inversion."""
    x1, y1, x2, y2 = symbols("x1 y1 x2 y2")
    for name, sign in (("addition", 1), ("subtraction", -1)):
        # Strip::begin, Strip::finish: x1 and y1 are not kept, so what follows must do without them.
        run, rise = x2 - x1, sign * y2 - y1
        slope = rise / run
        x = slope**2 + run - 2 * x2
        y = slope * (x2 - x) - sign * y2
        expected = weierstrass_add((x1, y1), (x2, sign * y2))
        holds(f"affine {name}: x", x - expected[0])
        holds(f"affine {name}: y", y - expected[1])
    # Except: the tangent, whose run does not count as a difference.
    run, rise = 2 * y1, 3 * (x1 - 1) * (x1 + 1)
    slope = rise / run
    x = slope**2 + 0 - 2 * x1
    expected = weierstrass_double((x1, y1))
    holds("affine doubling: x", x - expected[0])
    holds("affine doubling: y", slope * (x1 - x) - y1 - expected[1])
    # Level.
    slope = (y2 - y1) / (x2 - x1)
    x = slope**2 - x1 - x2
    expected = weierstrass_add((x1, y1), (x2, y2))
    holds("tables: x", x - expected[0])
    holds("tables: y", slope * (x1 - x) - y1 - expected[1])
    # Montgomery's trick, for a slot between others.
    before, own, after, top = symbols("before own after top")
    inverse = 1 / (before * own * after)
    holds("shared inversion: the quotient", (inverse * after) * (before * top) - top / own)
    holds("shared inversion: what is left", (inverse * after) * own - 1 / before)


# --- Edwards: -x² + y² = 1 + d·x²·y²


def on_edwards(x, y, d):
    return -(x**2) + y**2 - 1 - d * x**2 * y**2


def edwards():
    """`point.rs`, in extended coordinates."""
    x1, y1, x2, y2, d, Z1, Z2 = symbols("x1 y1 x2 y2 d Z1 Z2")
    product = d * x1 * x2 * y1 * y2
    law = (x1 * y2 + y1 * x2) / (1 + product), (y1 * y2 + x1 * x2) / (1 - product)
    first, second = on_edwards(x1, y1, d), on_edwards(x2, y2, d)
    X1, Y1, T1 = x1 * Z1, y1 * Z1, x1 * y1 * Z1
    for name, sign in (("addition", 1), ("subtraction", -1)):
        # An entry to be subtracted has its halves exchanged; C and the factors f and g follow.
        X2, Y2, T2 = x2 * Z2, y2 * Z2, x2 * y2 * Z2
        plus, minus = (Y2 + X2, Y2 - X2)[:: sign]
        a, b = (Y1 - X1) * minus, (Y1 + X1) * plus
        c, twice_z = 2 * d * T1 * T2, 2 * Z1 * Z2
        e, h = b - a, b + a
        f, g = (twice_z - c, twice_z + c)[:: sign]
        x, y, z, t = e * f, g * h, f * g, e * h
        expected = [coordinate.subs(x2, sign * x2) for coordinate in law]
        holds(f"Edwards {name}: x", x / z - expected[0])
        holds(f"Edwards {name}: y", y / z - expected[1])
        holds(f"Edwards {name}: t", t * z - x * y)
    # Extended::doubling: minus the usual f and h, so that all four coordinates change their sign.
    a, b, c, s = X1**2, Y1**2, Z1**2, (X1 + Y1) ** 2
    h = a + b
    e, f, g = s - h, 2 * c + a - b, b - a
    x, y, z, t = e * f, g * h, f * g, e * h
    doubled = [coordinate.subs({x2: x1, y2: y1}) for coordinate in law]
    holds("Edwards doubling: x", x / z - doubled[0], first)
    holds("Edwards doubling: y", y / z - doubled[1], first)
    holds("Edwards doubling: t", t * z - x * y)
    # Sum: Y + X, Y - X, from which the next addition goes on, and what is compared in the end.
    holds("Edwards sums: x", ((y + x) - (y - x)) / (2 * z) - x / z)
    holds("Edwards sums: y", ((y + x) + (y - x)) / (2 * z) - y / z)
    del second


def edwards_is_complete():
    """No denominator of the law vanishes, as -1 is a square and d is none; the constants are right."""
    p = 2**255 - 19
    d = -121665 * pow(121666, -1, p) % p
    source = (BACKEND / "ed25519/decode.rs").read_text() + (BACKEND / "ed25519/point.rs").read_text()

    def limbs(name):
        text = re.search(rf"const {name}: \[u64; 5\] = \[(.*?)\]", source, re.DOTALL)[1]
        return sum(int(limb.replace("_", ""), 0) << 51 * i for i, limb in enumerate(re.findall(r"0x\w+", text)))

    checks = {
        "d is no square": pow(d, (p - 1) // 2, p) == p - 1,
        "-1 is a square": pow(p - 1, (p - 1) // 2, p) == 1,
        "-1/d is no square": pow(-pow(d, -1, p), (p - 1) // 2, p) == p - 1,
        "the constant d": limbs("D") == d,
        "the constant 2d": limbs("TWO_D") == 2 * d % p,
        "the root of -1": limbs("SQRT_MINUS_ONE") ** 2 % p == p - 1,
        # (u·v³·(u·v⁷)^((p-5)/8))²·v = u·(u·v⁷)^((p-1)/4): u times a fourth root of one, if u/v is a square.
        "decoding: powers of u": 2 + (p - 5) // 4 == 1 + (p - 1) // 4,
        "decoding: powers of v": 6 + 7 * (p - 5) // 4 + 1 == 7 * (p - 1) // 4,
    }
    small = small_orders(p, d)
    text = re.search(r"const SMALL_ORDER_Y: .*? = \[(.*?)\n\];", source, re.DOTALL)[1]
    words = re.sub(r"u64::MAX >> 1", str(2**63 - 1), text).replace("u64::MAX", str(2**64 - 1))
    listed = {
        sum(int(word.replace("_", ""), 0) << 64 * i for i, word in enumerate(row.split(",")[:4]))
        for row in re.findall(r"\[([^\[\]]*)\]", words)
    }
    checks["all encodings of small order are listed"] = listed == small
    for name, right in checks.items():
        holds(name, sympy.Integer(0 if right else 1))


def small_orders(p, d):
    """Each y below 2^255, reduced or not, of a point of order 1, 2, 4 or 8."""
    # Order 4: y = 0. Order 8: a double has y = 0, so that y² = -x², and then 2y² = 1 - d·y⁴.
    ys = {1, p - 1, 0}
    root = sqrt_mod(1 + d, p)
    for sign in (1, -1):
        square = (-1 + sign * root) * pow(d, -1, p) % p
        if (y := sqrt_mod(square, p)) is not None and y_is_on(p - square, square, p, d):
            ys |= {y, p - y}
    return {y + k * p for y in ys for k in (0, 1) if y + k * p < 2**255}


def y_is_on(xx, yy, p, d):
    return (-xx + yy - 1 - d * xx * yy) % p == 0 and sqrt_mod(xx, p) is not None


def sqrt_mod(a, p):
    root = pow(a, (p + 3) // 8, p)
    for candidate in (root, root * pow(2, (p - 1) // 4, p) % p):
        if candidate**2 % p == a % p:
            return candidate
    return None


# --- Scalars


def odd_digits(k, width, length):
    """`tables::digits`: for an odd k below 2^(width·length)."""
    halved = (k + 2 ** (width * length)) >> 1
    half = 2 ** (width - 1) - 1
    digits = []
    for i in range(length):
        value = halved >> width * i & 2**width - 1
        positive = value >> (width - 1) & 1
        index = (value ^ (positive - 1)) & half
        digits.append((2 * index + 1) * (1 if positive else -1))
    return digits


def signed_digits(k, width, length):
    """`ed25519::digits`: digits from -2^(width-1) to 2^(width-1) - 1, and the last carry."""
    half, mask, carry, digits = 2 ** (width - 1), 2**width - 1, 0, []
    for i in range(length):
        digit = (k >> width * i & mask) + carry
        carry = digit + half >> width
        digits.append(digit - (carry << width))
    return digits, carry


def recodings():
    for width in range(1, 7):
        for length in range(1, 12 // width + 1):
            for k in range(1, 2 ** (width * length), 2):
                digits = odd_digits(k, width, length)
                right = sum(digit << width * i for i, digit in enumerate(digits)) == k
                if not right or not all(digit % 2 and abs(digit) < 2**width for digit in digits):
                    sys.exit(f"odd digits of {k}, {width} bits: {digits}")
    for width in range(2, 7):
        for length in range(1, 12 // width + 1):
            for k in range(2 ** (width * length)):
                digits, carry = signed_digits(k, width, length)
                total = sum(digit << width * i for i, digit in enumerate(digits)) + (carry << width * length)
                half = 2 ** (width - 1)
                if total != k or not all(-half <= digit < half for digit in digits):
                    sys.exit(f"signed digits of {k}, {width} bits: {digits}")
    holds("recoding: all scalars of up to twelve bits", sympy.Integer(0))

    # Let v = (k + 2^W - 1)/2 = value + 2^w·rest, P = 2^w, Q = 2^(W - w). The lowest digit is 2·value - (P - 1),
    # and what is above it is the scalar that belongs to `rest`, which is odd again.
    value, rest, P, Q, low = symbols("value rest P Q low")
    scalar = 2 * (value + P * rest) - P * Q + 1
    holds("odd digits: the recurrence", 2 * value - (P - 1) + P * (2 * rest - Q + 1) - scalar)
    # With the sign bit the digit is 2·low + 1; without it the negative of that for P/2 - 1 - low.
    holds("odd digits: positive", 2 * (P / 2 + low) - (P - 1) - (2 * low + 1))
    holds("odd digits: negative", 2 * low - (P - 1) + (2 * (P / 2 - 1 - low) + 1))
    # k = value + P·rest with a carry in: digit + carry out·P stay the same number.
    inward, outward = symbols("inward outward")
    digit = value + inward - outward * P
    holds("signed digits: the recurrence", digit + P * (rest + outward) - (value + P * rest + inward))
    for width in range(4, 16):
        length = -(-254 // width)
        # What the last digit can be of a number below 2^253, and the carry into it: nothing is carried out.
        last = 2 ** max(253 - width * (length - 1), 0) - 1 + 1
        holds(f"signed digits of {width} bits: no carry out", sympy.Integer(0 if last < 2 ** (width - 1) else 1))


# --- What the formulas leave out

# (case that the algebra shows, file, test): the test meets the case on every engine.
EXCEPTIONS = [
    ("mixed addition, h = 0 and r = 0: equal points", "ecdsa/tests/points.rs", "p256_points"),
    ("mixed addition, h = 0 and r ≠ 0: opposite points", "ecdsa/tests/points.rs", "p384_points"),
    ("mixed addition, Z = 0: infinity", "ecdsa/tests/points.rs", "p256_points"),
    ("doubling, Z = 0: infinity stays infinity", "ecdsa/tests/points.rs", "p384_points"),
    ("affine addition, run = 0 and rise = 0: equal points", "ecdsa/tests/sums.rs", "p256"),
    ("affine addition, run = 0 and rise ≠ 0: opposite points", "ecdsa/tests/sums.rs", "p384"),
    ("affine addition, either point infinite", "ecdsa/tests/sums.rs", "p256"),
    ("at every digit of the combs: equal, opposite", "ecdsa/tests/edge.rs", "every_window_of_the_combs"),
    ("at every digit of the walk: equal, opposite", "ecdsa/tests/edge.rs", "every_window_of_the_walk"),
    ("parts that are equal or opposite when they are joined", "ecdsa/tests/edge.rs", "small_multiples"),
    ("the sum is infinite", "ecdsa/tests/edge.rs", "small_multiples"),
    ("a digit that wraps at the order", "ecdsa/tests/edge.rs", "small_multiples"),
    ("x(R) between the order and the prime", "ecdsa/tests/edge.rs", "second_candidate"),
    ("a scalar that is zero, whose inverse does not exist", "ecdsa/tests/edge.rs", "ranges_and_lengths"),
    ("points off the curve, whose order is not n", "ecdsa/tests/edge.rs", "ranges_and_lengths"),
    ("odd digits of each width", "ecdsa/tests/recoding.rs", "all_scalars_of_small_widths"),
    ("Edwards: equal, opposite, small order, identity: no exception", "ed25519/point.rs", "formulas_agree_with_dalek"),
    ("Edwards: x = 0, whose sign counts for nothing", "ed25519/tests.rs", "strange_encodings"),
    ("Edwards: digits of each width", "ed25519/digits.rs", "digits_add_up"),
]


def exceptions():
    for case, file, test in EXCEPTIONS:
        text = (BACKEND / file).read_text()
        if not re.search(rf"fn {test}\(|curve!\({test},", text):
            sys.exit(f"{case}: {file} has no test {test}")
        print(f"met: {case}: {file}: {test}")


if __name__ == "__main__":
    the_law()
    jacobian()
    affine_sums()
    edwards()
    edwards_is_complete()
    recodings()
    exceptions()
    print(f"{count} identities and {len(EXCEPTIONS)} exceptional cases")
