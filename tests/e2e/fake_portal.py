"""The settings portal of a desktop, in its first version, as far as ChatDesk asks it. Runs on the system's Python.

Each line on its stdin, ``still`` or ``moving``, is a change of the setting.
"""

from __future__ import annotations

import sys

from gi.repository import Gio, GLib

_INTERFACE = "org.freedesktop.portal.Settings"
_PATH = "/org/freedesktop/portal/desktop"
_PLACE = ("org.gnome.desktop.interface", "enable-animations")
_XML = f"""<node><interface name="{_INTERFACE}"><method name="Read"><arg type="s" direction="in"/>
<arg type="s" direction="in"/><arg type="v" direction="out"/></method></interface></node>"""


def main() -> None:
    Gio.bus_own_name(Gio.BusType.SESSION, "org.freedesktop.portal.Desktop", 0, _on_bus, _on_name, None)
    GLib.MainLoop().run()


def _on_bus(bus: Gio.DBusConnection, _name: str) -> None:
    bus.register_object(_PATH, Gio.DBusNodeInfo.new_for_xml(_XML).interfaces[0], _on_call, None, None)
    GLib.io_add_watch(GLib.IOChannel.unix_new(0), GLib.PRIORITY_DEFAULT, GLib.IOCondition.IN, _on_line, bus)


def _on_name(_bus: Gio.DBusConnection, _name: str) -> None:
    sys.stdout.write("ready\n")
    sys.stdout.flush()


def _on_call(_bus, _sender, _path, _interface, _method, parameters, invocation) -> None:  # type: ignore[no-untyped-def]
    if parameters.unpack() == _PLACE:
        invocation.return_value(GLib.Variant("(v)", (GLib.Variant("v", GLib.Variant("b", False)),)))
    else:
        invocation.return_dbus_error("org.freedesktop.portal.Error.NotFound", "no such setting")


def _on_line(_channel: GLib.IOChannel, _condition: GLib.IOCondition, bus: Gio.DBusConnection) -> bool:
    value = sys.stdin.readline().strip() == "moving"
    arguments = GLib.Variant("(ssv)", (*_PLACE, GLib.Variant("b", value)))
    bus.emit_signal(None, _PATH, _INTERFACE, "SettingChanged", arguments)
    return True


if __name__ == "__main__":
    main()
