"""One start, measured from inside: of a bare Qt window with a text field, or of ChatDesk. ``measure_start.py`` runs it,
packaged and from a checkout.

``CHATDESK_PROBE`` says which (``bare`` or ``app``) and, after a space, when the parent started this process. Prints the
seconds of time and of processor until a key press stood in the text field.
"""

import os
import sys
import time

KIND, STARTED = os.environ["CHATDESK_PROBE"].split()


def report():
    print(time.monotonic() - float(STARTED), time.process_time(), flush=True)


def press(field):
    from PySide6.QtCore import QEvent, Qt
    from PySide6.QtGui import QKeyEvent
    from PySide6.QtWidgets import QApplication

    QApplication.sendEvent(field, QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_X, Qt.KeyboardModifier.NoModifier, "x"))


def bare():
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication, QPlainTextEdit, QVBoxLayout, QWidget

    app = QApplication(sys.argv[:1])
    window = QWidget()
    field = QPlainTextEdit()
    QVBoxLayout(window).addWidget(field)
    window.resize(1280, 820)
    window.show()
    field.setFocus()

    def type_one():
        press(field)
        assert field.toPlainText() == "x"
        report()
        app.quit()

    QTimer.singleShot(0, type_one)
    app.exec()


def application():
    import chatdesk.__main__ as program  # first: it has modules load when they are used
    import chatdesk.app

    run_window = chatdesk.app.run_window

    async def script(window):
        composer = window.panes.composer
        before = composer.text()
        press(composer.editor)
        assert composer.text() == before + "x"
        report()
        composer.clear()
        await window.services()
        return 0

    def run(paths, settings, **more):
        return run_window(paths, settings, script=script)

    chatdesk.app.run_window = run
    program.main()


if __name__ == "__main__":
    bare() if KIND == "bare" else application()
