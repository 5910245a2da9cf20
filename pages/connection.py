"""Connection: the sandbox or Valar, the key, a test, and what lies on this disk."""

from valar_ui import session
from valar_ui.parts import connection, frame

frame.heading("Connection", "Where your requests go.")

connection.choose()
connection.test()
if session.destination() == "sandbox":
    connection.fault_dial()
connection.disk()
