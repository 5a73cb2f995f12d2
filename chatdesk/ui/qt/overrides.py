"""Makes an error that leaves a Python override of a Qt virtual method harmless.

PySide 6.9 to 6.11 on Python 3.11 end the process (SIGSEGV) when an error that C code raised (`1 / 0`, `int("x")`, the
use of a deleted object) leaves an override that Qt called below a Python call, for instance `QObject.event` below
`QCoreApplication.sendPostedEvents()`. The same error raised again by Python code is reported, as every other error
is. So each override is called by a function of the same parameters that raises again what it catches; as long as
nothing is raised, the `try` costs nothing, and the call some 50 ns.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import CodeType, FunctionType
from typing import Any

from shiboken6 import Shiboken

_GUARDED = "_raises_again"
# The flags of code objects, as `inspect` names them; loading it would take milliseconds of each start.
CO_VARARGS, CO_VARKEYWORDS, CO_GENERATOR, CO_COROUTINE, CO_ASYNC_GENERATOR = 0x4, 0x8, 0x20, 0x80, 0x200
# Calling such a function runs none of its code yet, so an error comes later.
_RAISES_LATER = CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR
_TAKES_ANY = CO_VARARGS | CO_VARKEYWORDS


def guard_overrides() -> None:
    """Make the overrides in every class that is derived from one of Qt from now on raise their errors again."""
    Shiboken.Object.__init_subclass__ = classmethod(_guard_class)  # type: ignore[assignment, method-assign]


def _guard_class(cls: type) -> None:
    super(Shiboken.Object, cls).__init_subclass__()  # type: ignore[misc] # of a class that Qt's are mixed with
    qt_classes = [each for each in cls.__mro__ if each.__module__.startswith("PySide6.")]
    for owner in cls.__mro__:
        if owner is not cls and issubclass(owner, Shiboken.Object):
            continue  # guarded when it was made, or a class of Qt
        for name, value in list(vars(owner).items()):
            if type(value) is not FunctionType or name.startswith("__") or value.__code__.co_flags & _RAISES_LATER:
                continue
            if not hasattr(value, _GUARDED) and any(name in vars(each) for each in qt_classes):
                setattr(owner, name, _raising_again(value))


def _raising_again(function: FunctionType) -> FunctionType:
    """Return a function that calls this one and has its parameters: a connection looks at how many a slot takes."""
    guarded = _guard_of(function)
    functools.update_wrapper(guarded, function)
    guarded.__defaults__ = function.__defaults__
    guarded.__kwdefaults__ = function.__kwdefaults__
    setattr(guarded, _GUARDED, True)
    return guarded


def _guard_of(function: FunctionType) -> FunctionType:
    code = function.__code__
    if code.co_flags & _TAKES_ANY or code.co_posonlyargcount or code.co_kwonlyargcount:
        return _maker(*_parameters(code))(function)
    # One form for each number of parameters is compiled, and then called after these: the first paint makes fifty.
    declared = ", ".join(f"p{number}" for number in range(code.co_argcount))
    guarded = _maker(declared, declared)(function)
    guarded.__code__ = guarded.__code__.replace(co_varnames=code.co_varnames[: code.co_argcount])
    return guarded


def _parameters(code: CodeType) -> tuple[str, str]:
    """Return the parameters of a function as they are declared, without defaults, and as they are handed on."""
    count, named = code.co_argcount, code.co_argcount + code.co_kwonlyargcount
    names = list(code.co_varnames)
    declared, handed_on = names[:count], names[:count]
    if code.co_posonlyargcount:
        declared.insert(code.co_posonlyargcount, "/")
    variadic = names.pop(named) if code.co_flags & CO_VARARGS else ""
    if variadic:
        handed_on.append(f"*{variadic}")
    if variadic or named > count:
        declared.append(f"*{variadic}")
    declared += names[count:named]
    handed_on += [f"{name}={name}" for name in names[count:named]]
    if code.co_flags & CO_VARKEYWORDS:
        declared.append(f"**{names[named]}")
        handed_on.append(f"**{names[named]}")
    return ", ".join(declared), ", ".join(handed_on)


@functools.cache  # a dozen forms for all classes
def _maker(declared: str, handed_on: str) -> Callable[[FunctionType], FunctionType]:
    namespace: dict[str, Any] = {}
    exec(  # noqa: S102 - the names are those of parameters in this program's own source
        f"def make(_override):\n"
        f" def guarded({declared}):\n"
        f"  try:\n"
        f"   return _override({handed_on})\n"
        f"  except BaseException:\n"
        f"   raise\n"
        f" return guarded\n",
        namespace,
    )
    make: Callable[[FunctionType], FunctionType] = namespace["make"]
    return make
