r"""Writes out numbers and units as the package siunitx does: ``\SI{1.5e3}{\kilo\metre\per\second}``. Pure."""

from __future__ import annotations

import re
from typing import Final

_PREFIXES: Final = {
    "quecto": "q", "ronto": "r", "yocto": "y", "zepto": "z", "atto": "a", "femto": "f", "pico": "p", "nano": "n",
    "micro": "μ", "milli": "m", "centi": "c", "deci": "d", "deca": "da", "deka": "da", "hecto": "h", "kilo": "k",
    "mega": "M", "giga": "G", "tera": "T", "peta": "P", "exa": "E", "zetta": "Z", "yotta": "Y", "ronna": "R",
    "quetta": "Q", "kibi": "Ki", "mebi": "Mi", "gibi": "Gi", "tebi": "Ti", "pebi": "Pi", "exbi": "Ei",
}  # fmt: skip
_UNITS: Final = {
    "metre": "m", "meter": "m", "gram": "g", "second": "s", "ampere": "A", "kelvin": "K", "mole": "mol",
    "candela": "cd", "becquerel": "Bq", "degreeCelsius": "°C", "celsius": "°C", "coulomb": "C", "farad": "F",
    "gray": "Gy", "hertz": "Hz", "henry": "H", "joule": "J", "katal": "kat", "lumen": "lm", "lux": "lx", "newton": "N",
    "ohm": "Ω", "pascal": "Pa", "radian": "rad", "siemens": "S", "sievert": "Sv", "steradian": "sr", "tesla": "T",
    "volt": "V", "watt": "W", "weber": "Wb", "minute": "min", "hour": "h", "day": "d", "degree": "°", "arcminute": "′",
    "arcsecond": "″", "hectare": "ha", "litre": "L", "liter": "L", "tonne": "t", "electronvolt": "eV", "dalton": "Da",
    "astronomicalunit": "au", "parsec": "pc", "angstrom": "Å", "bar": "bar", "atmosphere": "atm",
    "bel": "B", "decibel": "dB", "neper": "Np", "percent": r"\%", "bit": "bit", "byte": "B", "gauss": "G", "barn": "b",
    "knot": "kn", "mmHg": "mmHg", "nauticalmile": "M",
    "kg": "kg", "km": "km", "cm": "cm", "mm": "mm", "um": "μm", "nm": "nm", "ms": "ms", "us": "μs", "ns": "ns",
    "mA": "mA", "kV": "kV", "mV": "mV", "kHz": "kHz", "MHz": "MHz", "GHz": "GHz", "kPa": "kPa", "MPa": "MPa",
    "kJ": "kJ", "kW": "kW", "MW": "MW", "kWh": "kWh", "eV": "eV", "keV": "keV", "MeV": "MeV", "GeV": "GeV",
}  # fmt: skip
_BEFORE: Final = {"square": "2", "cubic": "3"}
_AFTER: Final = {"squared": "2", "cubed": "3"}
_WORD: Final = re.compile(r"\s*\\([A-Za-z]+)\s*(?:\{([^{}\\]{1,20})\})?")
_PLAIN: Final = re.compile(r"([A-Za-zμΩÅ°%′″]+)(?:\^\{?(-?\d+)\}?)?|[./~\s]|\\,|\\cdot\b")
_NUMBER: Final = re.compile(
    r"([-+<>~]|\\pm|\\approx|\\sim|\\geq?|\\leq?)?\s*(\d[\d\s]*(?:[.,]\d+)?|[.,]\d+)?"
    r"(?:\((\d+)\)|\s*(?:\\pm|\+-|±)\s*([\d.,]+))?(?:[eEdD]([-+]?\d+))?"
)
_SIGNS: Final = {"~": r"\sim ", "": ""}


class NoUnit(ValueError):
    """The text is no number or no unit that is known."""


def number(text: str) -> str:
    """Return a number as TeX, such as ``1.5\\times 10^{3}``. Raises ``NoUnit``."""
    match = _NUMBER.fullmatch(text.strip())
    if match is None or not (match[2] or match[5]):
        raise NoUnit
    sign, digits, digit_error, error, exponent = match.groups()
    made = _SIGNS.get(sign or "", f"{sign} ") + re.sub(r"\s+", r"\\,", (digits or "").strip().replace(",", "{,}"))
    if digit_error:
        made += f"({digit_error})"
    if error:
        made += rf"\pm {error}"
    if exponent:
        power = f"10^{{{exponent.lstrip('+')}}}"
        made = rf"({made})\times {power}" if error else rf"{made}\times {power}" if digits else f"{made}{power}"
    return made


def unit(text: str) -> str:
    """Return a unit as TeX, upright. Raises ``NoUnit``."""
    return _of_words(text) if "\\" in text and _WORD.match(text) else _of_letters(text)


def _of_words(text: str) -> str:
    made: list[str] = []
    at, prefix, power, is_per = 0, "", "", False
    while at < len(text.rstrip()):
        match = _WORD.match(text, at)
        if match is None:
            raise NoUnit
        name, argument = match[1], match[2]
        at = match.end()
        if name == "per":
            is_per = True
        elif name in _PREFIXES:
            prefix += _PREFIXES[name]
        elif name in _BEFORE:
            power = _BEFORE[name]
        elif name == "raiseto" and argument:
            power = argument
        elif name in _UNITS:
            made.append(_with_power(prefix + _UNITS[name], power, is_per=is_per))
            prefix, power, is_per = "", "", False
        elif made and name == "of" and argument:
            made[-1] += rf"_{{\mathrm{{{argument}}}}}"
        elif made and (name in _AFTER or (name == "tothe" and argument)):
            made[-1] = _with_later_power(made[-1], _AFTER.get(name, argument or ""))
        else:
            raise NoUnit
    if prefix or power or is_per:
        raise NoUnit
    return r"\,".join(made)


def _with_power(name: str, power: str, *, is_per: bool) -> str:
    if "\\" not in name:
        name = rf"\text{{{name}}}"
    if is_per:
        power = f"-{power or 1}"
    return f"{name}^{{{power}}}" if power else name


def _with_later_power(made: str, power: str) -> str:
    name, _, before = made.partition("^")
    return f"{name}^{{{'-' if before == '{-1}' else ''}{power}}}"


def _of_letters(text: str) -> str:
    """Return a unit that is written as it looks: ``m/s^2``, ``kg.m``."""
    made, at = "", 0
    text = text.strip()
    while at < len(text):
        match = _PLAIN.match(text, at)
        if match is None:
            raise NoUnit
        at = match.end()
        if match[1]:
            made += _with_power(match[1].replace("%", r"\%"), match[2] or "", is_per=False)
        else:
            made += "/" if match[0] == "/" else r"\,"
    return made
